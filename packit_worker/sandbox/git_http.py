"""Git over HTTP: the bridge from WSGI to ``git http-backend``. Used inside the sandbox only.

Source: https://git-scm.com/docs/git-http-backend.
"""

import os
import shutil
import subprocess
from base64 import b64decode
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

TIMEOUT_SECONDS = 60
SERVICES = ("/info/refs", "/git-upload-pack", "/git-receive-pack")
PASSED = {
    "REQUEST_METHOD": "REQUEST_METHOD",
    "QUERY_STRING": "QUERY_STRING",
    "CONTENT_TYPE": "CONTENT_TYPE",
    "CONTENT_LENGTH": "CONTENT_LENGTH",
    "REMOTE_ADDR": "REMOTE_ADDR",
    "HTTP_CONTENT_ENCODING": "HTTP_CONTENT_ENCODING",
    "HTTP_GIT_PROTOCOL": "GIT_PROTOCOL",
}


def repository_of(path: str) -> tuple[str, str] | None:
    """Name and rest of a path a git client asks for: ``rpms/hello`` and ``/info/refs``. With ``.git`` or without."""
    for service in SERVICES:
        if path.endswith(service):
            return path.removesuffix(service).strip("/").removesuffix(".git"), service
    name, found, rest = path.strip("/").partition(".git/")
    return (name, f"/{rest}") if found else None


def is_push(environ: "WSGIEnvironment") -> bool:
    """Whether a git client wants to push."""
    asked = f"{environ['PATH_INFO']}?{environ.get('QUERY_STRING', '')}"
    return "git-receive-pack" in asked


def password(environ: "WSGIEnvironment") -> str:
    """The password sent with HTTP Basic, or the token of a Bearer; else nothing."""
    scheme, _, value = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "basic":
        return str(value)
    try:
        return b64decode(value).decode().partition(":")[2]
    except ValueError:
        return ""


def refuse(start_response: "StartResponse", status: str, text: str) -> list[bytes]:
    """An answer in words; git asks for a password when the status is 401."""
    headers = [("Content-Type", "text/plain; charset=utf-8")]
    if status.startswith("401"):
        headers.append(("WWW-Authenticate", 'Basic realm="sandbox"'))
    start_response(status, headers)
    return [f"{text}\n".encode()]


def serve(
    environ: "WSGIEnvironment", start_response: "StartResponse", repository: Path, rest: str, user: str = ""
) -> list[bytes]:
    """Let git answer for a repository; with a `user` it takes pushes."""
    git = shutil.which("git")
    if git is None:
        return refuse(start_response, "503 Service Unavailable", "There is no git on this machine")
    variables = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(repository),
        "GIT_PROJECT_ROOT": str(repository.parent),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
        "PATH_INFO": f"/{repository.name}{rest}",
        **{name: str(environ[key]) for key, name in PASSED.items() if environ.get(key)},
    }
    if user:
        variables |= {"REMOTE_USER": user}
    answer = subprocess.run(
        [git, "http-backend"],
        input=environ["wsgi.input"].read(),
        env=variables,
        capture_output=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    head, _, body = answer.stdout.partition(b"\r\n\r\n")
    status, headers = "200 OK", []
    for line in head.decode().splitlines():
        name, _, value = line.partition(": ")
        if name == "Status":
            status = value
        elif name:
            headers.append((name, value))
    if not head:
        return refuse(start_response, "500 Internal Server Error", answer.stderr.decode(errors="replace"))
    start_response(status, headers)
    return [body]
