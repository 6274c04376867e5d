"""Koji's messages: tasks by name, builds by number, and what is missing of imports, images and old messages."""

from __future__ import annotations

from typing import Any

import pytest

from events.koji import KojiBuildEvent

TASK_TOPIC = "org.fedoraproject.prod.buildsys.task.state.change"
BUILD_TOPIC = "org.fedoraproject.prod.buildsys.build.state.change"
COMMIT = "0123456789abcdef0123456789abcdef01234567"

TASK: dict[str, Any] = {
    "attribute": "state",
    "id": 555,
    "instance": "primary",
    "method": "build",
    "new": "CLOSED",
    "old": "OPEN",
    "owner": "brewer",
    "srpm": "kettle-lid-1.0-2.fc40.src.rpm",
    "info": {
        "id": 555,
        "owner": 42,
        "start_time": 1577836800.5,
        "completion_time": "2020-01-01 00:10:00.25",
        "request": ["cli-build/123.abc/kettle-lid-1.0-2.fc40.src.rpm", "rawhide", {"scratch": True}],
        "children": [{"id": 556, "method": "rebuildSRPM"}, {"id": 557, "method": "buildArch"}],
    },
}
BUILD: dict[str, Any] = {
    "attribute": "state",
    "build_id": 9001,
    "task_id": 555,
    "task": {"id": 555, "method": "build", "start_time": None},
    "name": "kettle",
    "version": "1.0",
    "release": "2.fc40",
    "epoch": None,
    "owner": "brewer",
    "new": 1,
    "old": 0,
    "instance": "primary",
    "request": [f"git+https://src.fedoraproject.org/rpms/kettle.git#{COMMIT}", "f40-candidate", {}],
    "creation_time": "2023-11-08T10:54:48+01:00",
    "completion_time": None,
}


def test_task(event_of):
    event = event_of("fedora-messaging", TASK_TOPIC, TASK)
    assert event == KojiBuildEvent(
        task_id=555,
        state="CLOSED",
        old_state="OPEN",
        rpm_build_task_id=557,
        method="build",
        target="rawhide",
        owner="brewer",
        package_name="kettle-lid",
        version="1.0",
        release="2.fc40",
        started_at="2020-01-01T00:00:00.500000Z",
        completed_at="2020-01-01T00:10:00.250000Z",
    )
    assert event.subject == "koji:task:555"


def test_build(event_of):
    event = event_of("fedora-messaging", BUILD_TOPIC, BUILD)
    assert event == KojiBuildEvent(
        task_id=555,
        build_id=9001,
        state="COMPLETE",
        old_state="BUILDING",
        method="build",
        target="f40-candidate",
        commit_sha=COMMIT,
        owner="brewer",
        package_name="kettle",
        version="1.0",
        release="2.fc40",
        started_at="2023-11-08T09:54:48Z",
    )


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        ({"old": None, "new": "FREE"}, {"state": "FREE", "old_state": None}),
        ({"old": ...}, {"old_state": None}),
        ({"info": ...}, {"rpm_build_task_id": None, "started_at": None, "target": None}),
        ({"info": None}, {"rpm_build_task_id": None}),
        ({"info.children": []}, {"rpm_build_task_id": None}),
        ({"info.children": None}, {"rpm_build_task_id": None}),
        ({"info.start_time": "soon"}, {"started_at": None}),
        (
            {"info.request": [["a", "b"], None, {}], "method": "chainbuild"},
            {"target": None, "commit_sha": None},
        ),
        ({"srpm": "git+https://x/kettle?#main"}, {"package_name": None, "version": None}),
        ({"srpm": ...}, {"package_name": None}),
        ({"owner": None}, {"owner": None}),
    ],
)
def test_task_variants(event_of, changed, changes, facts):
    event = event_of("fedora-messaging", TASK_TOPIC, changed(TASK, changes))
    assert {name: event.facts()[name] for name in facts} == facts


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        ({"new": 0, "old": None}, {"state": "BUILDING", "old_state": None}),
        ({"new": 0, "old": 3}, {"state": "BUILDING", "old_state": "FAILED"}),
        ({"new": 2, "old": 1}, {"state": "DELETED", "old_state": "COMPLETE"}),
        ({"new": 4}, {"state": "CANCELED"}),
        ({"task_id": None, "task": None}, {"task_id": None, "build_id": 9001, "method": None}),
        ({"request": None}, {"target": None, "commit_sha": None}),
        ({"request": ...}, {"target": None, "commit_sha": None}),
        (
            {
                "request": ["Image", "40", ["x86_64"], "f40", "https://x", {}],
                "task.method": "image",
                "epoch": 0,
            },
            {"target": None, "commit_sha": None, "method": "image"},
        ),
        (
            {"completion_time": "2023-11-08T10:01:04.706963+00:00"},
            {"completed_at": "2023-11-08T10:01:04.706963Z"},
        ),
        ({"task.start_time": 1577836800}, {"started_at": "2020-01-01T00:00:00Z"}),
    ],
)
def test_build_variants(event_of, changed, changes, facts):
    event = event_of("fedora-messaging", BUILD_TOPIC, changed(BUILD, changes))
    assert {name: event.facts()[name] for name in facts} == facts


def test_imported_build_is_its_own_subject(event_of, changed):
    event = event_of("fedora-messaging", BUILD_TOPIC, changed(BUILD, {"task_id": None, "task": None}))
    assert event.subject == "koji:build:9001"


@pytest.mark.parametrize(
    ("topic", "sample", "path", "value", "why"),
    [
        (TASK_TOPIC, TASK, "new", ..., "new: is missing or null"),
        (TASK_TOPIC, TASK, "new", 2, "new: is no state that a task of Koji can be in"),
        (TASK_TOPIC, TASK, "id", 1.5, "id: is float, not int"),
        (TASK_TOPIC, TASK, "info", "x", "info: is str, not an object"),
        (TASK_TOPIC, TASK, "info.children", [None], "info.children.0: is missing or null"),
        (TASK_TOPIC, TASK, "info.start_time", [], "info.start_time: is list, no point in time"),
        (BUILD_TOPIC, BUILD, "new", "COMPLETE", "new: is str, not int"),
        (BUILD_TOPIC, BUILD, "new", True, "new: is bool, not int"),
        (BUILD_TOPIC, BUILD, "new", 5, "new: is no state that a build of Koji can be in"),
        (BUILD_TOPIC, BUILD, "new", -1, "new: is no state that a build of Koji can be in"),
        (BUILD_TOPIC, BUILD, "build_id", None, "build_id: is missing or null"),
    ],
)
def test_malformed(refusal_of, changed, topic, sample, path, value, why):
    assert refusal_of("fedora-messaging", topic, changed(sample, {path: value})).malformed == why


@pytest.mark.parametrize(
    "name", ["tag", "untag", "repo.done", "rpm.sign", "package.list.change", "task.state"]
)
def test_lookalike_topics(refusal_of, name):
    assert refusal_of("fedora-messaging", f"org.fedoraproject.prod.buildsys.{name}", BUILD).ignored
