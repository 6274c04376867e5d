"""The sandbox as a program: ``python -m packit_worker.sandbox``. Imported by nobody.

Starts all servers, prints one line of JSON with their addresses and the credentials, and runs until SIGTERM, SIGINT or,
with ``--exit-with-parent``, until the process that started it is gone.
"""

import argparse
import json
import os
import signal
import sys
import threading

from packit_worker.sandbox import Sandbox

SERVERS = (
    "github",
    "copr",
    "testing_farm",
    "koji",
    "pagure",
    "gitlab",
    "dist_git",
    "lookaside",
    "fasjson",
    "bus",
    "control",
)
LOOK_FOR_PARENT_SECONDS = 0.3


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(
        prog="python -m packit_worker.sandbox", description=__doc__.partition("\n")[0]
    )
    for name in SERVERS:
        option = name.replace("_", "-")
        found.add_argument(f"--{option}-port", type=int, default=0, help=f"port of {option}; 0: any free one")
    found.add_argument("--manual", action="store_true", help="builds and tests move only when told")
    found.add_argument(
        "--build-seconds", type=float, default=3.0, help="how long a build takes (default %(default)s)"
    )
    found.add_argument(
        "--test-seconds", type=float, default=3.0, help="how long tests take (default %(default)s)"
    )
    found.add_argument("--rate-limit", type=int, default=15_000, help="GitHub's budget of calls an hour")
    found.add_argument("--exit-with-parent", action="store_true", help="stop when the parent process is gone")
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run until told to stop."""
    parent = os.getppid()
    options = parser().parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    sandbox = Sandbox(
        auto=not options.manual,
        build_seconds=options.build_seconds,
        test_seconds=options.test_seconds,
        rate_limit=options.rate_limit,
        ports={name: getattr(options, f"{name}_port") for name in SERVERS},
    )
    with sandbox:
        told = {**sandbox.urls(), "pid": os.getpid(), "credentials": sandbox.credentials()}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        while not stop.wait(LOOK_FOR_PARENT_SECONDS):
            if options.exit_with_parent and os.getppid() != parent:
                break
    return 0


if __name__ == "__main__":
    sys.exit(main())
