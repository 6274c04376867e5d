"""What is fuzzed: every reader of what strangers write. Each raises nothing but what it promises."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from packit_worker.commands import new_commands
from packit_worker.commands import parse as parse_commands
from packit_worker.config.package import PackageConfigError, load
from packit_worker.intake import Unreadable, decode
from packit_worker.reporting import markdown
from packit_worker.web.signatures import refusal_of_signature
from parsers.parsing import parse
from parsers.sending import held

Target = Callable[[bytes], None]

KINDS = [
    *[("github", name) for name in ("pull_request", "push", "issue_comment", "release", "installation")],
    *[("github", name) for name in ("check_run", "check_suite", "issues")],
    *[("pagure", None), ("testing-farm", "result")],
    *[
        ("fedora-messaging", f"org.fedoraproject.prod.{topic}")
        for topic in ("copr.build.start", "copr.build.end")
    ],
]


def payload(data: bytes) -> None:
    """A body of any source and kind; the first byte chooses."""
    try:
        body = decode(data[1:])
    except Unreadable:
        return
    source, event_type = KINDS[(data[0] if data else 0) % len(KINDS)]
    with held() as sendings:
        parsed = parse(source, event_type, body)
    assert (parsed.malformed is not None) + (parsed.ignored is not None) + bool(sendings) == 1


def config(data: bytes) -> None:
    """A package configuration."""
    try:
        load(
            data.decode("utf-8", "surrogateescape"),
            path=".packit.yaml",
            repo_name="hello",
            spec_files=["a.spec"],
        )
    except PackageConfigError as error:
        assert "fault of ours" not in str(error)


def command(data: bytes) -> None:
    """A comment."""
    text = data.decode("utf-8", "surrogateescape")
    parse_commands(text)
    assert not new_commands(text, text)


def signature(data: bytes) -> None:
    """A signature's header and the body under it: only the right one passes."""
    header, _, body = data.partition(b"\n")
    right = "sha256=" + hmac.new(b"secret", body, hashlib.sha256).hexdigest()
    assert refusal_of_signature("secret", body, right) is None
    given = header.decode("latin-1")
    assert refusal_of_signature("secret", body, given) is not None or given.strip() == right


def words(data: bytes) -> None:
    """Words of strangers in Markdown."""
    text = data.decode("utf-8", "replace")
    assert "\n" not in markdown.plain(text)
    lines = markdown.code_block(text).split("\n")
    assert lines[0] == lines[-1]
    assert lines[0] not in lines[1:-1]


TARGETS: dict[str, Target] = {
    "payload": payload,
    "config": config,
    "command": command,
    "signature": signature,
    "words": words,
}
