"""What the tests of the jail share. They run real bubblewrap; without it they are skipped, and fail in CI."""

from __future__ import annotations

import http.server
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from packit_worker.cell import Cell, Limits, workspace
from tests.having import missing

#: Quick ends, small bombs.
SMALL = Limits(
    seconds=20,
    cpu_seconds=10,
    memory=200 << 20,
    processes=40,
    file_size=20 << 20,
    disk=40 << 20,
    files=2000,
    free_disk=1 << 20,
    tmp=16 << 20,
    output_kept=4096,
    output_total=4 << 20,
)


@pytest.fixture(scope="session")
def no_jail_because() -> str | None:
    return Cell.available()


@pytest.fixture
def work(no_jail_because: str | None) -> Iterator[Path]:
    """A directory for a jail to work in."""
    if no_jail_because is not None:
        missing(f"no jail here: {no_jail_because}")
    with workspace() as folder:
        yield folder


@pytest.fixture
def outside() -> Iterator[Path]:
    """A directory beside, which everybody on the machine may write to; a jail has to be kept from it by its walls."""
    with workspace() as folder:
        folder.chmod(0o777)
        yield folder


class Trap:
    """A server on 127.0.0.1 that counts who comes."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        trap = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                trap.seen.append(f"{self.path} host={self.headers.get('Host')}")
                body = b"hello from the trap\n"
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def trap() -> Iterator[Trap]:
    made = Trap()
    yield made
    made.close()


def git(*words: str, cwd: Path) -> str:
    """The system's git, for making what tests need."""
    who = {
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@b.c",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@b.c",
    }
    done = subprocess.run(
        ["git", "-c", "safe.directory=*", *words],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **who},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class Forge:
    """Repositories over smart HTTP, with git's own http-backend as CGI; pushing wants a password.

    What is in ``secret`` is not there for anybody but who shows the password at once (``hides``: 404, as Pagure does)
    or when asked for it (401, as GitHub does).
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.secret: dict[str, str] = {}
        self.hides = True
        self.authorizations: list[str | None] = []
        forge = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path, _, query = self.path.partition("?")
                said = self.headers.get("Authorization")
                forge.authorizations.append(said)
                wanted = forge.secret.get(path.split("/")[1])
                if wanted is not None and said != wanted:
                    self.send_response(404 if forge.hides else 401)
                    if not forge.hides:
                        self.send_header("WWW-Authenticate", 'Basic realm="x"')
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                if path.startswith("/elsewhere/"):
                    self.send_response(302)
                    self.send_header("Location", self.path.replace("/elsewhere/", "/", 1))
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                if "git-receive-pack" in self.path and said is None:
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", 'Basic realm="x"')
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                if self.headers.get("Transfer-Encoding") == "chunked":
                    while size := int(self.rfile.readline().strip(), 16):
                        body += self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                done = subprocess.run(
                    ["git", "http-backend"],
                    input=body,
                    capture_output=True,
                    check=True,
                    env={
                        "PATH": os.environ["PATH"],
                        "GIT_PROJECT_ROOT": str(forge.root),
                        "GIT_HTTP_EXPORT_ALL": "1",
                        "GIT_CONFIG_COUNT": "1",
                        "GIT_CONFIG_KEY_0": "safe.directory",
                        "GIT_CONFIG_VALUE_0": "*",
                        "PATH_INFO": path,
                        "QUERY_STRING": query,
                        "REQUEST_METHOD": self.command,
                        "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                        "CONTENT_LENGTH": str(len(body)),
                        "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                        "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                        "REMOTE_USER": "x" if said else "",
                    },
                )
                head, _, rest = done.stdout.partition(b"\r\n\r\n")
                lines = dict(line.split(": ", 1) for line in head.decode().splitlines())
                self.send_response(int(lines.pop("Status", "200").split()[0]))
                for name, value in lines.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(rest)))
                self.end_headers()
                self.wfile.write(rest)

            do_POST = do_GET  # noqa: N815 - the library's name

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def url(self, name: str) -> str:
        return f"http://{self.address}/{name}"

    def repository(self, name: str, files: dict[str, str], branch: str = "main") -> Path:
        """Make a repository with one commit; returns a place to make more of them in."""
        seed = self.root / f"{name}.seed"
        seed.mkdir()
        git("init", "--quiet", f"--initial-branch={branch}", cwd=seed)
        self.commit(seed, files, "first")
        git("clone", "--quiet", "--bare", str(seed), str(self.root / name), cwd=self.root)
        git("config", "http.receivepack", "true", cwd=self.root / name)
        return seed

    def commit(self, seed: Path, files: dict[str, str], message: str) -> str:
        for path, content in files.items():
            (seed / path).parent.mkdir(parents=True, exist_ok=True)
            (seed / path).write_text(content)
        git("add", "--all", "--force", cwd=seed)
        git("commit", "--quiet", "--message", message, cwd=seed)
        return git("rev-parse", "HEAD", cwd=seed)

    def publish(self, seed: Path, name: str, *refs: str) -> None:
        git("push", "--quiet", "--force", str(self.root / name), *refs, cwd=seed)

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[Forge]:
    if shutil.which("git") is None:
        missing("no git here")
    root = tmp_path / "forge"
    root.mkdir()
    made = Forge(root)
    yield made
    made.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
