"""Git itself, without anybody's settings."""

import os
import subprocess
from pathlib import Path

QUIET = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_AUTHOR_NAME": "Ann",
    "GIT_AUTHOR_EMAIL": "ann@example.com",
    "GIT_COMMITTER_NAME": "Ann",
    "GIT_COMMITTER_EMAIL": "ann@example.com",
}


class GitFailed(Exception):
    """Git ended with a failure; the text is what it said."""


def git(*arguments: str, cwd: Path) -> str:
    """Run git; its output. Raises GitFailed."""
    environment = QUIET | {"HOME": str(cwd)}
    done = subprocess.run(
        ["git", *arguments], cwd=cwd, env=environment, text=True, capture_output=True, timeout=60
    )
    if done.returncode:
        raise GitFailed(done.stdout + done.stderr)
    return done.stdout.strip()


def with_token(url: str, token: str, name: str = "x-access-token") -> str:
    """The address with a name and a password for HTTP Basic."""
    return url.replace("://", f"://{name}:{token}@")


def change(clone: Path, message: str, **files: str) -> str:
    """Commit files (dots in names are written as two underscores); the new SHA."""
    for name, content in files.items():
        (clone / name.replace("__", ".")).write_text(content)
    git("add", "--all", cwd=clone)
    git("commit", "-qm", message, cwd=clone)
    return git("rev-parse", "HEAD", cwd=clone)
