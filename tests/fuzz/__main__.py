"""``python -m tests.fuzz [TARGET...] [--seconds N]``: a process a target, ended after so many seconds or at a finding.

Exits with 1 where something was found; the input lies in ``.fuzz/`` then, and can be given back as ``--input FILE``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

FOLDER = Path(".fuzz")
#: Of an input; and what one may take before it counts as a finding.
BYTES, SECONDS, MEGABYTES = 4096, 5, 1024


def main() -> int:
    """Fuzz the targets one after the other."""
    parser = argparse.ArgumentParser(prog="make fuzz", description="Fuzz readers of what strangers write.")
    parser.add_argument("targets", nargs="*", help="all if none is named")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--input", type=Path, help="only try this one")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        return _inside(given.inside, given.seconds, given.input)
    from tests.fuzz.targets import TARGETS

    if unknown := set(given.targets) - set(TARGETS):
        parser.error(f"no such target: {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}")
    found = []
    for name in given.targets or TARGETS:
        words = [sys.executable, "-m", "tests.fuzz", "--inside", name, "--seconds", str(given.seconds)]
        words += ["--input", str(given.input)] if given.input else []
        if subprocess.run(words, check=False).returncode:
            found.append(name)
    sys.stdout.write(f"found something: {', '.join(found)}\n" if found else "found nothing\n")
    return bool(found)


def _inside(name: str, seconds: int, only: Path | None) -> int:
    import atheris

    with atheris.instrument_imports(include=["packit_worker", "parsers", "events"]):
        from tests.fuzz.targets import TARGETS
    corpus = FOLDER / name
    corpus.mkdir(parents=True, exist_ok=True)
    options = [
        *(
            f"-max_total_time={seconds}",
            f"-max_len={BYTES}",
            f"-timeout={SECONDS}",
            f"-rss_limit_mb={MEGABYTES}",
        ),
        *(f"-artifact_prefix={corpus}-", "-print_final_stats=1", "-verbosity=0"),
    ]
    atheris.Setup([name, *options, str(only or corpus)], TARGETS[name])
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
