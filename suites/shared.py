"""What the suites share: roots of Debian packages, and runs inside them."""

import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
BUILD = os.path.join(ROOT, "build", "suites")
RECIPES = os.path.join(ROOT, "apps", "lib.sh")
PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


def recipe(words):
    """What a function of the recipes prints."""
    command = ["bash", "-euo", "pipefail", "-c", '. "$0"; "$@"', RECIPES, *words]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def debian_root(name, *packages):
    return recipe(["debian_root", name, *packages])


def debian_source(package):
    return recipe(["debian_source", package])


def run_inside(unirun, root, words, options=(), time_limit=600):
    """Runs a program of a root under unirun: its status, None for one that took too long, and all output."""
    command = [unirun, "run", "-e", "LANG=C.UTF-8", *options, "--rootfs", root, "--", *words]
    try:
        run = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, timeout=time_limit)
    except subprocess.TimeoutExpired as late:
        return None, (late.stdout or b"").decode(errors="replace")
    return run.returncode, run.stdout.decode(errors="replace")
