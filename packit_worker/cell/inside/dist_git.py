"""What packit finds as the dist-git forge in the jail: which branch a package has, and that no archive is uploaded yet.

Run as ``python3 -I -S dist_git.py <branch> <command> [<argument>...]``: answers on localhost in a process of its own
and becomes the command. packit 1.17 asks Pagure (https://src.fedoraproject.org/api/0/, "git/branches") for the default
branch even where the branch is given, and the lookaside cache (HEAD) whether it has an archive; "no" has it handed to
our ``fedpkg``, which lays it aside. Archives of before are at the real cache, if the jail may go there. Nobody imports
it.
"""

from __future__ import annotations

import http.server
import json
import os
import sys

PORT = 3129
LOOKASIDE = "https://src.fedoraproject.org"


class Answers(http.server.BaseHTTPRequestHandler):
    """One request of packit's."""

    branch = ""

    def do_GET(self) -> None:
        """Branches, the way to an archive, or nothing."""
        if self.path.startswith("/repo/pkgs/") and self.command == "GET":
            self.send_response(302)
            self.send_header("Location", f"{LOOKASIDE}{self.path}")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.path.partition("?")[0].rstrip("/").endswith("/git/branches"):
            self._answer(
                200, json.dumps({"branches": [self.branch], "default": self.branch, "total_branches": 1})
            )
        else:
            self._answer(404, json.dumps({"error": "not found", "error_code": "ENOPROJECT"}))

    do_HEAD = do_GET  # noqa: N815 - the library's name

    def _answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text.encode())

    def log_message(self, format: str, *words: object) -> None:
        """The output belongs to the command."""


def main(branch: str, command: list[str]) -> None:
    """Serve and become the command. Does not return."""
    Answers.branch = branch
    server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Answers)
    if os.fork() == 0:
        null = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(null, number)
        server.serve_forever()
    server.socket.close()
    os.execvp(command[0], command)  # noqa: S606 - in the jail, where nothing is to be gained


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
