"""Copr on Fedora Messaging: https://docs.pagure.org/copr.copr/user_documentation.html and ``copr-messaging``.

Every chroot of a build sends one start and one end; a build and a chroot together are the key. ``copr.chroot.start``
says the same as ``copr.build.start`` and is not listened to.
"""

from __future__ import annotations

from events.copr import CoprBuildEvent
from parsers.forms import number
from parsers.payload import Payload
from parsers.registry import parses
from parsers.sending import send

SOURCE = "fedora-messaging"


@parses(SOURCE, "copr.build.start", sends=[CoprBuildEvent])
def build_start(payload: Payload) -> None:
    """Copr begins with one chroot of a build."""
    _build(payload, "start")


@parses(SOURCE, "copr.build.end", sends=[CoprBuildEvent])
def build_end(payload: Payload) -> None:
    """Copr is done with one chroot of a build, however it went."""
    _build(payload, "end")


def _build(payload: Payload, phase: str) -> None:
    """Messages of 2014 and 2015 know neither chroot nor status (and the oldest no owner)."""
    timestamp = payload.optional("timestamp", float)
    send(
        CoprBuildEvent,
        phase=phase,
        build_id=payload.read("build", number),
        chroot=payload.optional("chroot"),
        status=payload.optional("status", int),
        owner=payload.optional("owner"),
        project_name=payload.optional("copr"),
        pkg=payload.optional("pkg"),
        version=payload.optional("version"),
        user_login=payload.optional("user"),
        timestamp=payload.sent_at if timestamp is None else timestamp,
    )
