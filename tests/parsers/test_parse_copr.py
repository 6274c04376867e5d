"""Copr's messages: every chroot has its start and its end, and status 0 is a failure."""

from __future__ import annotations

from typing import Any

import pytest

from events.copr import CoprBuildEvent

START = "org.fedoraproject.prod.copr.build.start"
END = "org.fedoraproject.prod.copr.build.end"

BUILD: dict[str, Any] = {
    "build": 4321,
    "chroot": "fedora-rawhide-x86_64",
    "copr": "kettle",
    "ip": None,
    "owner": "@tea",
    "pid": 1,
    "pkg": "kettle",
    "status": 0,
    "user": "brewer",
    "version": "1.0-1.fc40",
    "what": "build end: ...",
    "who": "worker-1",
}


def test_end(event_of):
    assert event_of("fedora-messaging", END, BUILD) == CoprBuildEvent(
        phase="end",
        build_id=4321,
        chroot="fedora-rawhide-x86_64",
        status=0,
        owner="@tea",
        project_name="kettle",
        pkg="kettle",
        version="1.0-1.fc40",
        user_login="brewer",
    )


@pytest.mark.parametrize(
    ("topic", "changes", "facts"),
    [
        (START, {"status": 3}, {"phase": "start", "status": 3}),
        (
            START,
            {"pkg": None, "version": None, "user": None, "chroot": "srpm-builds"},
            {"pkg": None, "version": None, "user_login": None, "chroot": "srpm-builds"},
        ),
        (
            START,
            {"chroot": ..., "status": ..., "owner": ..., "pkg": ...},
            {"chroot": None, "status": None, "owner": None, "pkg": None},
        ),
        (END, {"timestamp": 12}, {"timestamp": 12.0}),
        (END, {"user": "github.com:brewer"}, {"user_login": "github.com:brewer"}),
        ("org.fedoraproject.stg.copr.build.end", {}, {"phase": "end"}),
    ],
)
def test_variants(event_of, changed, topic, changes, facts):
    event = event_of("fedora-messaging", topic, changed(BUILD, changes))
    assert {name: event.facts()[name] for name in facts} == facts


def test_each_chroot_is_a_subject_of_its_own(event_of, changed):
    one = event_of("fedora-messaging", START, BUILD)
    other = event_of("fedora-messaging", START, changed(BUILD, {"chroot": "epel-9-x86_64"}))
    assert one.subject != other.subject


def test_time_of_the_envelope(event_of):
    letter = {"topic": END, "msg": BUILD, "msg_id": "2020-1", "timestamp": 99.5}
    assert event_of("fedora-messaging", END, letter).timestamp == 99.5


@pytest.mark.parametrize(
    "topic",
    [
        "org.fedoraproject.prod.copr.chroot.start",
        "org.fedoraproject.prod.copr.worker.create",
        "org.fedoraproject.prod.copr.build.end.extra",
        "org.fedoraproject.prod.copr.build",
        "org.example.prod.copr.build.end",
        "copr.build.end",
        "build.end",
        "",
    ],
)
def test_lookalike_topics(refusal_of, topic):
    assert refusal_of("fedora-messaging", topic, BUILD).ignored


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("build", ..., "build: is missing or null"),
        ("build", "4321", "build: is str, not int"),
        ("build", -1, "build: is no number of anything: it must be positive and fit into 64 bits"),
        ("status", False, "status: is bool, not int"),
        ("chroot", {}, "chroot: is dict, not str"),
        ("timestamp", float("inf"), "timestamp: is inf, not a number that JSON has"),
        ("timestamp", 10**400, "timestamp: is too large a number"),
        ("status", 2**64, "status: does not fit into 64 bits"),
    ],
)
def test_malformed(refusal_of, changed, path, value, why):
    assert refusal_of("fedora-messaging", END, changed(BUILD, {path: value})).malformed == why
