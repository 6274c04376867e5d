"""What GitHub answers to a write under the old name of a repository must not be taken for success."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from packit_worker.clients.github import GitHub, GitHubProject
from packit_worker.errors import Refused, TemporaryError
from packit_worker.ports import CheckState, CheckStatus

CHECK = CheckState(commit_sha="1" * 40, name="build", marker="1", status=CheckStatus.QUEUED, title="Waiting")


class _Moved(BaseHTTPRequestHandler):
    """A GitHub that knows a new place for everything: writes get 307, reads are led to another host."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(307)

    def do_PATCH(self) -> None:
        self.do_POST()

    def do_GET(self) -> None:
        self._answer(301)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Location", "http://localhost:9/repositories/17/x")
        self.end_headers()
        self.wfile.write(json.dumps({"message": "Moved Permanently", "url": "http://localhost:9/x"}).encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def project() -> Iterator[GitHubProject]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Moved) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        yield GitHub(api_url=url, web_url=url, token="t" * 40, timeout=1).project(f"{url}/acme/tool")
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "write",
    [
        lambda project: project.create_check(CHECK),
        lambda project: project.update_check("17", CHECK),
        lambda project: project.create_comment(1, "x"),
        lambda project: project.update_comment(1, "17", "x"),
        lambda project: project.create_issue("x", "y"),
    ],
)
def test_a_write_is_refused(project: GitHubProject, write: Callable[[GitHubProject], object]) -> None:
    with pytest.raises(Refused, match="another name"):
        write(project)


def test_a_read_follows_to_no_other_host(project: GitHubProject) -> None:
    with pytest.raises(TemporaryError, match="redirected from host"):
        project.is_private()
