"""Row 8: small files that grow when they are read.

What a file would grow to is counted before it is built, so that no process has to be killed for one: the limits hold by
counting, and the child process here is only there to measure.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

#: What a hostile file may take, with all that the reader itself needs.
SECONDS, MEGABYTES = 2.0, 256

ALIASES = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
)
MERGES = "b0: &b0 {k: 1, l: 2, m: 3}\n" + "".join(
    f"b{n}: &b{n} {{<<: [{', '.join([f'*b{n - 1}'] * 3)}]}}\n" for n in range(1, 16)
)
BOMBS = {
    "aliases": ALIASES,
    "aliases under the placeholder": "_:\n"
    + "".join(f"  {line}\n" for line in ALIASES.splitlines())
    + "jobs: *a8\n",
    "merge keys": MERGES,
    "merge keys in a job": MERGES + "jobs: [{<<: *b15}]\n",
    "nesting": "[" * 4096,
    "nesting in blocks": "\n".join(" " * n + "- " for n in range(600)),
    "mappings": "{a: " * 2000,
    "itself": "jobs: &jobs [*jobs]",
    "values": "jobs: [" + "x, " * 80_000 + "]",
    "size": "jobs: " + "x" * 300_000,
    "a number": "jobs: " + "9" * 200_000,
    "a number in base 60": "jobs: " + ":".join(["59"] * 60_000),
    "keys": "{" + ", ".join(f"? [a{n}] : b" for n in range(5000)) + "}",
    "anchors": "".join(f"k{n}: &a{n} v\n" for n in range(25_000)),
}
MEASURE = """
import json, re, sys, time
from packit_worker.config.package import PackageConfigError, load
text = sys.stdin.read()
begun = time.process_time()
try:
    load(text, path=".packit.yaml", repo_name="hello", spec_files=["hello.spec"])
    words = None
except PackageConfigError as error:
    words = str(error)
seconds = time.process_time() - begun
# Not ru_maxrss: a child inherits that of the process that started it.
kilobytes = int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
print(json.dumps([words, seconds, kilobytes / 1024]))
"""


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_an_error_in_the_configuration(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE],
        input=BOMBS[name],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    words, seconds, megabytes = json.loads(done.stdout)
    assert words and words.startswith(".packit.yaml")
    assert "fault of ours" not in words
    assert len(words) < 2000
    # Time of the processor: the machine may be busy with other things.
    assert seconds < SECONDS
    assert megabytes < MEGABYTES
