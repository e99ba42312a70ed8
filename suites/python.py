"""CPython's regression tests, by Debian's python3 from its own packages."""

import re

from shared import FAILED, PASSED, SKIPPED, debian_root, run_inside

SUBSET = ["test_subprocess", "test_posix", "test_os", "test_mmap", "test_select", "test_tempfile"]
ALL = SUBSET + [
    "test_signal", "test_threading", "test_thread", "test_selectors", "test_epoll", "test_poll", "test_pty",
    "test_fcntl", "test_io", "test_fileio", "test_shutil", "test_glob", "test_pathlib",
    "test_stat", "test_time", "test_fork1", "test_wait3", "test_wait4", "test_popen", "test_resource",
    "test_faulthandler", "test_eintr", "test_queue", "test_zipfile", "test_pwd", "test_grp",
    "test_socket", "test_multiprocessing_spawn", "test_multiprocessing_forkserver", "test_concurrent_futures",
]
LINE = re.compile(r"^(\w+) \((test\.[\w.]+)\).* ?\.\.\. ?(.*)$")
OUTCOMES = {"ok": PASSED, "FAIL": FAILED, "ERROR": FAILED}


def outcomes(text):
    for line in text.splitlines():
        found = LINE.match(line)
        if not found:
            continue
        name, word = found.group(2), found.group(3)
        yield name, SKIPPED if word.startswith("skipped") else OUTCOMES.get(word.split(" ")[-1], PASSED)
    # What a test printed may stand between its name and how it ended; failures are told once more.
    for name in re.findall(r"^(?:FAIL|ERROR): \w+ \((test\.[\w.]+)\)", text, re.MULTILINE):
        yield name, FAILED


def run(unirun, is_whole):
    root = debian_root("python", "python3", "libpython3.11-testsuite")
    for test in ALL if is_whole else SUBSET:
        words = ["/usr/bin/python3", "-m", "test", "-v", test]
        status, text = run_inside(unirun, root, words, ["-m", "2G"])
        found = dict(outcomes(text))
        yield from found.items()
        ended = SKIPPED if f"{test} skipped" in text else PASSED
        if status != 0 and FAILED not in found.values():
            ended = FAILED
        yield test, ended
