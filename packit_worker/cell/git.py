"""Git outside of the jail, where it meets the network and tokens: fetching, reading out bundles, pushing.

Handlers and ``packit`` of this package use it. Nothing that a repository holds is ever run: no hooks, filters,
submodules or helpers; only http and https; names of refs are full, so that none can be an option. ``clone`` makes only
``.git``; whoever wants the files has them checked out in the jail, or here with ``checkout`` (where links become
plain files). After a jail has worked in a clone, it is not touched here any more, see ``take``.
"""

from __future__ import annotations

import base64
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import urlsplit

from packit_worker import logs
from packit_worker.cell import watching
from packit_worker.cell.limits import GIB, MIB
from packit_worker.cell.network import RefusedHost, Resolve, Rules, resolve
from packit_worker.errors import Refused, TemporaryError, UserError

#: https://git-scm.com/docs/git-config. Set for every call: neither the machine nor a repository has a say.
_CONFIG = {
    "protocol.allow": "never",
    "protocol.https.allow": "always",
    "protocol.http.allow": "always",
    "core.hooksPath": os.devnull,
    "core.symlinks": "false",
    "core.fsmonitor": "false",
    "core.attributesFile": os.devnull,
    "core.sshCommand": "false",
    "credential.helper": "",
    "submodule.recurse": "false",
    "fetch.recurseSubmodules": "false",
    "push.recurseSubmodules": "no",
    "transfer.fsckObjects": "true",
    # Old repositories have these, and they do no harm.
    "fetch.fsck.zeroPaddedFilemode": "ignore",
    "fetch.fsck.missingSpaceBeforeDate": "ignore",
    "fetch.fsck.badTimezone": "ignore",
    # An answer from another place is an answer from somebody else.
    "http.followRedirects": "false",
    "http.proxy": "",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "60",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "advice.detachedHead": "false",
}
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
#: https://git-scm.com/docs/git-check-ref-format, and no more than that: what it lets through is no option for git,
#: because it starts with refs/.
_REF = re.compile(r"refs/(?:heads|tags|pull|merge-requests|remotes|packit)/[^\x00-\x20\x7f~^:?*\[\\]+")
_NOT_IN_REFS = re.compile(r"\.\.|@\{|//|/\.|\.lock(?:/|$)|\.$|/$|^@$")
_LOOK = 0.2
_KEPT = 4000
#: Bytes of a line in the head of a bundle.
_LINE = 4096


@dataclass(frozen=True, kw_only=True)
class GitLimits:
    """Bounds for one call of git: seconds by the wall clock, bytes and files on the disk."""

    seconds: float = 300
    size: int = 2 * GIB
    files: int = 300_000


class Login(Protocol):
    """As whom git talks to a server: with HTTP Basic, ``token`` is the password."""

    @property
    def user(self) -> str: ...
    @property
    def token(self) -> str: ...


def full_ref(name: str) -> str:
    """The name, if it is a full name of a ref that git could have. Raises UserError."""
    if len(name) > 500 or not _REF.fullmatch(name) or _NOT_IN_REFS.search(name):
        raise UserError(
            f"{name[:200]!r} is no full name of a branch or tag.", next_step="Rename the branch or tag."
        )
    return name


def clone(
    url: str,
    ref: str,
    into: Path,
    limits: GitLimits | None = None,
    *,
    tags: bool = True,
    also: str | None = None,
    login: Login | None = None,
    allow: Sequence[str] = (),
    resolve: Resolve = resolve,
) -> str:
    """Fetch ``ref`` (a full name) with its history, and all tags, into the new directory ``into``; returns its commit.

    No file is checked out. The ref, and one that is wanted ``also``, is there as ``refs/remotes/origin/...`` (branches)
    or under its own name (``fetched``), and ``origin`` is the URL. With a ``login`` git shows it from the first request
    on (a server that hides what is private asks for none), to this URL alone, and nothing of it is left in the clone.
    Private addresses are refused unless ``allow`` has their ``address:port``. Raises UserError (no such ref, too
    large), Refused (not a URL or host for us, nothing to be read there), TemporaryError (no answer, too slow).
    """
    limits = limits or GitLimits()
    full_ref(ref)
    pinned = _pinned(url, allow, resolve)
    into.mkdir(parents=True)
    _git(["init", "--quiet", "--template=", "--initial-branch=packit-worker"], into, limits)
    _git(["config", "remote.origin.url", url], into, limits)
    _git(["config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"], into, limits)
    wanted = [ref] if also is None else [ref, full_ref(also)]
    specs = [f"+{one}:{fetched(one)}" for one in wanted] + (["+refs/tags/*:refs/tags/*"] if tags else [])
    shown = {} if login is None else _shown(login, url)
    _git(
        ["fetch", "--quiet", "--no-tags", "--end-of-options", url, *specs],
        into,
        limits,
        config=pinned,
        secret_config=shown,
    )
    return _commit(fetched(ref), into, limits)


def fetched(ref: str) -> str:
    """What a ref of the other side is called in a clone."""
    branch = ref.removeprefix("refs/heads/")
    return ref if branch == ref else f"refs/remotes/origin/{branch}"


def checkout(repository: Path, commit: str, limits: GitLimits | None = None) -> None:
    """Put the files of a commit into a clone that no jail has touched. Links become files that hold their target."""
    if not _SHA.fullmatch(commit):
        raise UserError(f"{commit[:80]!r} is no commit.", next_step="Give a full commit hash.")
    _git(["checkout", "--quiet", "--force", "--detach", commit, "--"], repository, limits or GitLimits())


def take(repository: Path, bundle: Path, ref: str, limits: GitLimits | None = None) -> str:
    """Put what a bundle (https://git-scm.com/docs/git-bundle) made in a jail calls ``ref`` into a clone of ours.

    A bundle holds objects and names and nothing that git would run; objects are checked as those from the network are.
    ``repository`` is one that no jail has touched, with the commits the bundle builds upon. Returns the commit, which
    is also ``refs/packit/taken`` there. Raises UserError where the bundle is not what it should be.
    """
    limits = limits or GitLimits()
    with bundle.open("rb") as content:
        commit = _named(content, ref)
        # Not "git bundle unbundle", which checks no objects.
        _git(["index-pack", "--stdin", "--fix-thin", "--strict"], repository, limits, stdin=content)
    # Nothing may be missing of what the commit needs.
    _git(["rev-list", "--objects", "--quiet", commit, "--not", "--all"], repository, limits)
    _git(["update-ref", "--no-deref", "refs/packit/taken", commit], repository, limits)
    return commit


def push(
    repository: Path,
    url: str,
    refspec: str,
    *,
    token: str,
    expected: str,
    user: str = "x-access-token",
    limits: GitLimits | None = None,
    allow: Sequence[str] = (),
    resolve: Resolve = resolve,
) -> None:
    """Push ``<commit or full ref>:<full ref>`` from a clone that no jail has touched, as ``user`` with ``token``.

    What is there is replaced only if it is the commit ``expected`` ("": only if nothing is there). The token goes to
    git through the environment of a helper (GIT_ASKPASS), never through arguments or a file. Raises Refused (no
    permission, or somebody else pushed in the meantime), TemporaryError.
    """
    source, _, target = refspec.partition(":")
    full_ref(target)
    if not _SHA.fullmatch(source):
        full_ref(source)
    if expected and not _SHA.fullmatch(expected):
        raise ValueError(f"{expected!r} is no commit")
    logs.add_secret(token)
    pinned = _pinned(url, allow, resolve)
    with tempfile.TemporaryDirectory(prefix="packit-worker-askpass-") as folder:
        helper = Path(folder, "askpass")
        # It asks first for a name, unless credential.username says it, then for the password.
        helper.write_text("#!/bin/sh\nprintf '%s\\n' \"$PACKIT_WORKER_TOKEN\"\n")
        helper.chmod(0o700)
        _git(
            [
                *("push", "--quiet", "--no-verify", f"--force-with-lease={target}:{expected}"),
                *("--end-of-options", url, f"{source}:{target}"),
            ],
            repository,
            limits or GitLimits(),
            config={**pinned, "credential.username": user},
            environment={"GIT_ASKPASS": str(helper), "PACKIT_WORKER_TOKEN": token},
        )


def _shown(login: Login, url: str) -> dict[str, str]:
    """A setting by which git shows a login to this URL and no other. It is in the environment of git alone.

    https://git-scm.com/docs/git-config#Documentation/git-config.txt-httpurl
    """
    proof = base64.b64encode(f"{login.user}:{login.token}".encode()).decode()
    return {f"http.{url}.extraHeader": f"Authorization: Basic {proof}"}


def _pinned(url: str, allow: Sequence[str], resolve: Resolve) -> dict[str, str]:
    """Settings by which git talks to the address that was looked at and no other. Raises Refused."""
    parts = urlsplit(url)
    try:
        host, port = parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        host = port = None
    if not host or not port or parts.username or parts.password or any(ord(letter) <= 32 for letter in url):
        raise Refused(f"{url.partition('?')[0][:200]!r} is no address that we clone from")
    try:
        addresses = Rules(allow).addresses(host, port, resolve, any_host=True)
    except RefusedHost as error:
        raise Refused(f"{host} port {port} is refused: {error}") from error
    if host in addresses:
        return {}
    # https://git-scm.com/docs/git-config#Documentation/git-config.txt-httpcurloptResolve
    written = [f"[{address}]" if ":" in address else address for address in addresses]
    return {"http.curloptResolve": f"{host}:{port}:{','.join(written)}"}


def _named(bundle: BinaryIO, ref: str) -> str:
    """The commit that a bundle calls ``ref``; its pack is what comes next. https://git-scm.com/docs/gitformat-bundle"""
    commits = []
    if bundle.readline(_LINE) in (b"# v2 git bundle\n", b"# v3 git bundle\n"):
        for _ in range(1000):
            line = bundle.readline(_LINE).decode("utf-8", "replace")
            if line == "\n":
                break
            commit, _, name = line.rstrip("\n").partition(" ")
            if name == ref and _SHA.fullmatch(commit):
                commits.append(commit)
    if len(commits) != 1:
        raise UserError(
            f"No {ref} came out of the jail.", next_step="Try again; if it stays so, tell the operators."
        )
    # The file itself is handed on, so its place has to be where the reading stopped.
    os.lseek(bundle.fileno(), bundle.tell(), os.SEEK_SET)
    return commits[0]


def _commit(ref: str, repository: Path, limits: GitLimits) -> str:
    return _git(
        ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}"], repository, limits
    ).strip()


def _git(
    arguments: Sequence[str],
    repository: Path,
    limits: GitLimits,
    *,
    config: Mapping[str, str] | None = None,
    secret_config: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
    stdin: BinaryIO | None = None,
) -> str:
    """What git said on stdout. Ended with all its children when it passes a limit."""
    secrets = secret_config or {}
    settings = {**_CONFIG, "safe.directory": str(repository), **(config or {}), **secrets}
    made = {
        "PATH": os.defpath,
        "HOME": os.devnull,
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "false",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_LFS_SKIP_SMUDGE": "1",
        # A lookup that would go through directories above finds nothing there.
        "GIT_CEILING_DIRECTORIES": str(repository.parent),
        "GIT_CONFIG_COUNT": str(len(settings)),
        **{f"GIT_CONFIG_KEY_{number}": key for number, key in enumerate(settings)},
        **{f"GIT_CONFIG_VALUE_{number}": value for number, value in enumerate(settings.values())},
        **(environment or {}),
    }
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complained:
        process = subprocess.Popen(  # noqa: S603 - no shell; refs and URLs were checked and stand behind --end-of-options
            ["git", *arguments],  # noqa: S607 - the system's git, from the system's PATH
            cwd=repository,
            env=made,
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=said,
            stderr=complained,
            start_new_session=True,
        )
        try:
            passed = _watched(process, repository, limits)
        finally:
            _kill_group(process)
        texts = []
        for stream in (said, complained):
            stream.seek(0)
            text = logs.censor(stream.read(MIB).decode("utf-8", "replace"))
            # These are made for one call; the censor would keep them for ever.
            for secret in secrets.values():
                text = text.replace(secret.rpartition(" ")[2], logs.CENSORED)
            texts.append(text)
    if passed is not None:
        raise passed
    if process.returncode != 0:
        raise _error(arguments[0], texts[1][-_KEPT:])
    return texts[0]


def _watched(process: subprocess.Popen[bytes], repository: Path, limits: GitLimits) -> Exception | None:
    """Wait for the end. Returns the error for a limit that was passed."""
    started = time.monotonic()
    look_at = started + _LOOK
    while True:
        try:
            process.wait(_LOOK / 4)
        except subprocess.TimeoutExpired:
            pass
        else:
            # What is fetched quickly was never looked at while it came.
            return _too_large(repository, limits)
        now = time.monotonic()
        if now - started > limits.seconds:
            return TemporaryError(f"git timed out after {limits.seconds:.0f} s")
        if now >= look_at:
            passed = _too_large(repository, limits)
            look_at = time.monotonic() + max(_LOOK, 10 * (time.monotonic() - now))
            if passed is not None:
                return passed


def _too_large(repository: Path, limits: GitLimits) -> UserError | None:
    stored = watching.stored(repository, most_files=limits.files)
    if stored.size <= limits.size and stored.files <= limits.files:
        return None
    return UserError(
        f"The repository is too large: more than {limits.size // MIB} MiB or {limits.files} files.",
        next_step="Ask the operators of this service whether they raise the limit.",
    )


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """End git and its helpers (git-remote-https, index-pack). Where git ended by itself, they have too."""
    if process.poll() is None:
        # Its number is still its own, because nobody has asked for its exit code yet.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _error(command: str, complaint: str) -> Exception:
    """What follows from git's words."""
    lines = complaint.strip().splitlines()
    words = lines[-1] if lines else "it said nothing"
    for line in lines:
        if line.startswith(("fatal:", "error:")):
            words = line
            break
    lowered = complaint.lower()
    if "couldn't find remote ref" in lowered:
        return UserError(f"There is no such branch or tag: {words}", next_step="Look whether it was removed.")
    refusals = (
        "401",
        "403",
        "authentication failed",
        "stale info",
        "rejected",
        "not allowed",
        "not found",
        "redirect",
        "returned error: 30",
        # What git says where it is asked who it is, and may ask nobody.
        "could not read username",
    )
    if any(refusal in lowered for refusal in refusals):
        return Refused(f"git {command}: {words}", answer=complaint)
    if command in ("fetch", "push", "clone"):
        return TemporaryError(f"git {command}: {words}")
    return UserError(f"git {command}: {words}", next_step="Look whether the repository is in order.")
