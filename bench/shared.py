"""What the benchmarks' commands share: compiling programs, and what they ran on."""

import glob
import os
import platform
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
BUILD = os.path.join(ROOT, "build", "bench")
COMPILERS = {
    "musl": ["musl-gcc", "-idirafter", "/usr/include", "-idirafter", "/usr/include/x86_64-linux-gnu"],
    "glibc": ["gcc"],
}


def note(text):
    print(text, file=sys.stderr, flush=True)


def newer(target, sources):
    return os.path.exists(target) and all(
        os.path.getmtime(target) >= os.path.getmtime(each) for each in sources
    )


def compile_bare(name):
    """A program without a C library."""
    os.makedirs(BUILD, exist_ok=True)
    source, target = os.path.join(HERE, "programs", name + ".c"), os.path.join(BUILD, name)
    if not newer(target, [source]):
        flags = ["-static", "-nostdlib", "-O2", "-fno-stack-protector", "-o", target, source]
        subprocess.run(["gcc"] + flags, check=True)
    return target


def compile_program(name, library):
    os.makedirs(BUILD, exist_ok=True)
    source = os.path.join(HERE, "programs", name + ".c")
    headers = glob.glob(os.path.join(HERE, "programs", "*.h"))
    target = os.path.join(BUILD, f"{name}-{library}")
    if not newer(target, [source, *headers]):
        flags = ["-static", "-O2", "-pthread", "-w", "-o", target, source]
        subprocess.run(COMPILERS[library] + flags, check=True)
    return target


def machine():
    model = platform.processor()
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {"processor": model, "processors": os.cpu_count(), "kernel": platform.release(),
            "date": time.strftime("%Y-%m-%d", time.gmtime())}
