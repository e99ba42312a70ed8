"""busybox's own test suite, run by its shell."""

import os
import re
import shutil
import subprocess

from shared import BUILD, FAILED, PASSED, SKIPPED, debian_source, run_inside

OUTCOMES = {"PASS": PASSED, "FAIL": FAILED, "SKIPPED": SKIPPED, "UNTESTED": SKIPPED}
PROGRAM = "/bin/busybox"


def make_root():
    root, source = os.path.join(BUILD, "busybox"), debian_source("busybox")
    shutil.rmtree(root, ignore_errors=True)
    for folder in "bin", "etc", "usr", "tmp", "suite":
        os.makedirs(os.path.join(root, folder))
    shutil.copy(PROGRAM, os.path.join(root, "suite", "busybox"))
    shutil.copy(os.path.join(source, "debian/config/pkg/static"), os.path.join(root, "suite", ".config"))
    shutil.copytree(os.path.join(source, "testsuite"), os.path.join(root, "suite", "testsuite"), symlinks=True)
    applets = subprocess.run([PROGRAM, "--list"], check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    for applet in applets:
        os.symlink("/suite/busybox", os.path.join(root, "bin", applet))
    os.symlink("bin", os.path.join(root, "sbin"))
    os.symlink("../bin", os.path.join(root, "usr", "bin"))
    for name, line in ("passwd", "root:x:0:0:root:/root:/bin/sh"), ("group", "root:x:0:"):
        with open(os.path.join(root, "etc", name), "w") as file:
            file.write(line + "\n")
    return root


def run(unirun, is_whole):
    words = ["/suite/busybox", "sh", "-c", "cd /suite/testsuite && ./runtest"]
    status, text = run_inside(unirun, make_root(), words)
    for word, name in re.findall(r"^(PASS|FAIL|SKIPPED|UNTESTED): (.*)$", text, re.MULTILINE):
        yield name, OUTCOMES[word]
    yield "the suite ends", FAILED if status is None else PASSED
