"""The first program in the jail: sets the limits of the kernel, opens the way to the proxy, runs the command.

Run as ``python3 -I -S launcher.py <JSON> <command> [<argument>...]``, as process 1 of the jail: it waits for whatever
loses its parent, and when it ends the kernel ends all others. The JSON has ``limits`` (name of resource.RLIMIT_ ->
value), ``proxy`` (path of a unix socket or null), ``port`` and ``status``, the number of a pipe to the worker, on which
it says "started" and "ended <exit code>". Nobody imports it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import signal
import socket
import sys


def main(settings: dict[str, object], command: list[str]) -> int:
    """Run the command; returns its exit code: 128 + the signal where one ended it, 127 where there is no program."""
    status = int(str(settings["status"]))
    os.set_inheritable(status, False)
    os.write(status, b"started\n")
    # With Python's handler anybody in the jail could interrupt this process; without one, process 1 hears nothing.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    limits = settings["limits"]
    assert isinstance(limits, dict)
    for name, value in limits.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        # Never more than the jail was given from outside: raising a hard limit is refused.
        _, hard = resource.getrlimit(kind)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        # At the soft limit of CPU time comes SIGXCPU, which says why; at the hard one SIGKILL.
        soft = max(1, value - 5) if name == "CPU" else value
        resource.setrlimit(kind, (soft, value))
    # Where the machine runs out of memory, the kernel shall take this and not the worker.
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")
    os.nice(5)
    if settings["proxy"]:
        # Bound before the command starts, so that it never finds nobody listening.
        listener = socket.create_server(("127.0.0.1", int(str(settings["port"]))))
        if os.fork() == 0:
            os.close(status)
            forward(listener, str(settings["proxy"]))
        listener.close()
    first = os.fork()
    if first == 0:
        become(command)
    code = None
    while code is None:
        pid, how = os.wait()
        if pid == first:
            ended = os.waitstatus_to_exitcode(how)
            code = 128 - ended if ended < 0 else ended
    os.write(status, f"ended {code}\n".encode())
    return code


def become(command: list[str]) -> None:
    """Become the command. Does not return."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        # Python ignores these two, and what is ignored stays so in the command.
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)  # noqa: S606 - in the jail, where nothing is to be gained
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)  # noqa: T201 - this is what the user is shown
    os._exit(127)


def forward(listener: socket.socket, target: str) -> None:
    """Carry every connection to the unix socket, for ever. One process, no threads: both count as processes."""
    null = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        # The command's output ends with the command.
        os.dup2(null, number)

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_unix_connection(target)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        far_writer.close()
        writer.close()

    async def serve() -> None:
        server = await asyncio.start_server(carry, sock=listener)
        await server.serve_forever()

    asyncio.run(serve())
    os._exit(1)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError, RuntimeError):
        writer.write_eof()


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1]), sys.argv[2:]))
