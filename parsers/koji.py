"""Koji on Fedora Messaging: https://pagure.io/koji-fedoramessaging and its predecessor, Koji's fedmsg plugin.

Tasks and builds count apart: the states of a task are told by name, those of a build by number, and the same number
means different things.
"""

from __future__ import annotations

import re
from typing import Any

from events.base import Primitive
from events.koji import KojiBuildEvent
from parsers.forms import kind_of, moment, number
from parsers.payload import Payload
from parsers.registry import parses
from parsers.sending import send

SOURCE = "fedora-messaging"

#: koji.BUILD_STATES: the names of a build's states, in the order of their numbers.
BUILD_STATES = ("BUILDING", "COMPLETE", "DELETED", "FAILED", "CANCELED")

#: koji.TASK_STATES.
TASK_STATES = ("FREE", "OPEN", "CLOSED", "CANCELED", "ASSIGNED", "FAILED")

#: A request to build an RPM is made of source, target and options; images and others have more.
_RPM_REQUEST = 3

_SRPM = re.compile(r"(?:.*/)?(?P<name>[^/]+)-(?P<version>[^-/]+)-(?P<release>[^-/]+)\.src\.rpm")
_COMMIT = re.compile(r".*#(?P<sha>[0-9a-f]{40,64})", re.DOTALL)


@parses(SOURCE, "buildsys.task.state.change", sends=[KojiBuildEvent])
def task_state_change(payload: Payload) -> None:
    """Messages before 2015 have no ``info``; ``info.owner`` is a number, ``owner`` the name."""
    send(
        KojiBuildEvent,
        task_id=payload.read("id", number),
        state=payload.read("new", _task_state),
        old_state=payload.read_optional("old", _task_state),
        rpm_build_task_id=_build_arch(payload),
        method=payload.optional("method"),
        owner=payload.optional("owner"),
        started_at=payload.read_optional("info.start_time", moment),
        completed_at=payload.read_optional("info.completion_time", moment),
        **_package(payload.optional("srpm") or ""),
        **_requested(payload, "info.request"),
    )


@parses(SOURCE, "buildsys.build.state.change", sends=[KojiBuildEvent])
def build_state_change(payload: Payload) -> None:
    """Imported builds have no task; FAILED may turn into BUILDING again, when a build is submitted a second time."""
    send(
        KojiBuildEvent,
        task_id=payload.read_optional("task_id", number),
        build_id=payload.read("build_id", number),
        state=payload.read("new", _build_state),
        old_state=payload.read_optional("old", _build_state),
        method=payload.optional("task.method"),
        owner=payload.optional("owner"),
        package_name=payload.optional("name"),
        version=payload.optional("version"),
        release=payload.optional("release"),
        started_at=payload.read_optional("task.start_time", moment)
        or payload.read_optional("creation_time", moment),
        completed_at=payload.read_optional("completion_time", moment),
        **_requested(payload, "request"),
    )


def _build_state(value: Any) -> str:
    if type(value) is not int:
        raise ValueError(f"is {kind_of(value)}, not int")
    if not 0 <= value < len(BUILD_STATES):
        raise ValueError("is no state that a build of Koji can be in")
    return BUILD_STATES[value]


def _task_state(value: Any) -> str:
    if value not in TASK_STATES:
        raise ValueError("is no state that a task of Koji can be in")
    return str(value)


def _build_arch(payload: Payload) -> int | None:
    """The first task that builds the RPM for an architecture: its log is the one people want to read."""
    for child in payload.parts("info.children"):
        if child.optional("method") == "buildArch":
            return child.read("id", number)
    return None


def _package(srpm: str) -> dict[str, Primitive]:
    match = _SRPM.fullmatch(srpm)
    parts = match.groupdict() if match else {}
    return {
        "package_name": parts.get("name"),
        "version": parts.get("version"),
        "release": parts.get("release"),
    }


def _requested(payload: Payload, path: str) -> dict[str, Primitive]:
    """Target and commit of a request to build an RPM."""
    request = payload.optional(path, list) or []
    if len(request) != _RPM_REQUEST:
        return {"target": None, "commit_sha": None}
    match = _COMMIT.fullmatch(_text(request[0]) or "")
    return {"target": _text(request[1]), "commit_sha": match["sha"] if match else None}


def _text(value: Any) -> str | None:
    """Items of a request are whatever the kind of task asks for (a chain build asks for lists)."""
    return value if isinstance(value, str) else None
