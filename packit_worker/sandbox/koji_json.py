"""How the stand-in for Koji writes its things: in the answers of its hub, and in messages.

Used inside the sandbox only.

Source: the hub of https://pagure.io/koji and the plugin https://pagure.io/koji-fedoramessaging.
"""

from datetime import UTC, datetime
from typing import Any

from packit_worker.sandbox.koji_state import (
    TASK_STATES,
    KojiBuild,
    KojiTask,
    KojiUser,
    Target,
)

Json = dict[str, Any]


def text_time(seconds: float | None, separator: str = " ") -> str | None:
    """A time as the hub writes it: with a blank; messages have a T there."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(separator, timespec="microseconds")


def user_shape(user: KojiUser) -> Json:
    """A user."""
    return {"id": user.id, "name": user.name, "status": 0, "usertype": 0, "krb_principals": []}


def target_shape(target: Target) -> Json:
    """A build target."""
    return {
        "id": target.id,
        "name": target.name,
        "build_tag": target.id * 10,
        "build_tag_name": target.build_tag,
        "dest_tag": target.id * 10 + 1,
        "dest_tag_name": target.dest_tag,
    }


def task_shape(task: KojiTask, *, request: bool = False) -> Json:
    """A task as the hub shows it."""
    shape = {
        **_common(task),
        "create_time": text_time(task.created),
        "create_ts": task.created,
        "start_time": text_time(task.started),
        "start_ts": task.started,
        "completion_time": text_time(task.completed),
        "completion_ts": task.completed,
        "weight": 0.2,
        "owner_name": task.owner.name,
        "owner_type": 0,
    }
    return shape | ({"request": task.request} if request else {})


def task_message(task: KojiTask, old: str | None) -> Json:
    """The body of ``buildsys.task.state.change``."""
    info = _told(task) | {
        "request": task.request,
        "result": None,
        "children": [_told(child) for child in task.children],
    }
    return {
        "attribute": "state",
        "id": task.id,
        "info": info,
        "instance": "primary",
        "method": task.method,
        "new": task.state,
        "old": old,
        "owner": task.owner.name,
        "srpm": task.srpm,
    }


def build_shape(build: KojiBuild) -> Json:
    """A build as the hub shows it."""
    return {
        "id": build.id,
        "build_id": build.id,
        "name": build.name,
        "package_name": build.name,
        "package_id": sum(map(ord, build.name)),
        "version": build.version,
        "release": build.release,
        "epoch": None,
        "nvr": build.nvr,
        "state": build.state,
        "task_id": build.task.id,
        "owner_id": build.owner.id,
        "owner_name": build.owner.name,
        "source": str(build.task.request[0]),
        "extra": {"custom_user_metadata": build.task.options.get("custom_user_metadata") or {}},
        "creation_time": text_time(build.created),
        "creation_ts": build.created,
        "start_time": text_time(build.task.started),
        "start_ts": build.task.started,
        "completion_time": text_time(build.completed),
        "completion_ts": build.completed,
        "volume_id": 0,
        "volume_name": "DEFAULT",
        "cg_id": None,
        "cg_name": None,
    }


def build_message(build: KojiBuild, old: int | None) -> Json:
    """The body of ``buildsys.build.state.change``."""
    return {
        "attribute": "state",
        "build_id": build.id,
        "completion_time": text_time(build.completed, "T"),
        "creation_time": text_time(build.created, "T"),
        "epoch": None,
        "instance": "primary",
        "name": build.name,
        "new": build.state,
        "old": old,
        "owner": build.owner.name,
        "release": build.release,
        "request": build.task.request,
        "task_id": build.task.id,
        "version": build.version,
    }


def _common(task: KojiTask) -> Json:
    return {
        "id": task.id,
        "method": task.method,
        "state": TASK_STATES.index(task.state),
        "arch": task.arch,
        "label": task.label,
        "owner": task.owner.id,
        "parent": task.parent.id if task.parent else None,
        "channel_id": 1,
        "host_id": None if task.started is None else 1,
        "priority": 19 if task.parent else 20,
        "waiting": None,
        "awaited": False if task.parent else None,
    }


def _told(task: KojiTask) -> Json:
    times = {
        "create_time": task.created,
        "start_time": task.started,
        "completion_time": task.completed,
    }
    return _common(task) | times
