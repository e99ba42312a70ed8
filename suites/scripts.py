"""Scripts that fork by the thousand, by bash and by dash, beside what they print natively."""

import subprocess

from shared import FAILED, PASSED, debian_root, run_inside

SCRIPTS = {
    "a thousand subshells": "i=0; while [ $i -lt 1000 ]; do i=$((i + 1)); (exit $((i % 7))) || s=$((s + $?)); done; echo $s",
    "a thousand substitutions": "i=0; while [ $i -lt 1000 ]; do i=$((i + 1)); t=$t$(echo $i | wc -c); done; echo $t",
    "long pipelines": "seq 20000 | sort -r | sed 's/1/x/' | grep x | cut -c1-3 | sort | uniq -c | sort -n | tail -3",
    "jobs in the background": "for i in $(seq 300); do (echo $i) & done | sort -n | tail -1; wait; echo $?",
    "traps and signals": "trap 'echo usr1' USR1; for i in 1 2 3; do kill -USR1 $$; done; sleep 100 & kill $!; wait $!; echo $?",
    "here documents": "i=0; while [ $i -lt 300 ]; do i=$((i + 1)); cat <<X | tr a-z A-Z\nline $i\nX\ndone | tail -2",
    "errors": "set -e; (false) || echo no; f() { return 3; }; f || echo $?; ls /absent 2>/dev/null || echo $?; cd /absent",
    "read loops": "seq 3000 | while read n; do [ $((n % 500)) -ne 0 ] || /bin/echo $n; done",
}


def run(unirun, is_whole):
    root = debian_root("scripts", "bash", "dash", "coreutils", "sed", "grep")
    for shell in "bash", "dash":
        for name, script in SCRIPTS.items():
            words = [f"/bin/{shell}", "-c", script]
            native = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            status, text = run_inside(unirun, root, words)
            is_same = (status, text) == (native.returncode, native.stdout.decode())
            yield f"{shell}: {name}", PASSED if is_same else FAILED
