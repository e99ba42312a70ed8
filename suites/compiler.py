"""zlib configured, built and tested by Debian's dash, make and gcc, all of them inside."""

import os
import shutil

from shared import BUILD, FAILED, PASSED, debian_root, debian_source, run_inside

SCRIPT = """
set -e
cd /work
./configure --static >/dev/null
make -s -j2 >/dev/null
echo built
make -s test 2>&1 | grep OK
make -s -q && echo fresh
"""


# Each with the line that tells that it went well.
STEPS = {"the build": "built", "its tests": "\t\t*** zlib test OK ***", "nothing is built twice": "fresh"}


def run(unirun, is_whole):
    packages = debian_root("compiler", "gcc", "libc6-dev", "make", "dash", "coreutils", "binutils",
                           "grep", "sed")
    root = os.path.join(BUILD, "compiler")
    if not os.path.exists(root):
        shutil.copytree(packages, root, symlinks=True)
    work = os.path.join(root, "work")
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(debian_source("zlib"), work, symlinks=True)
    status, text = run_inside(unirun, root, ["/bin/dash", "-c", SCRIPT], ["-m", "4G"])
    lines = text.splitlines()
    for name, line in STEPS.items():
        yield name, PASSED if line in lines else FAILED
    yield "make ends well", PASSED if status == 0 else FAILED
