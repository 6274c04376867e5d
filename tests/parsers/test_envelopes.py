"""One message in its four envelopes is one event."""

from __future__ import annotations

from typing import Any

import pytest

from parsers.envelopes import Letter, opened

TOPIC = "org.fedoraproject.prod.copr.build.end"
BODY: dict[str, Any] = {"build": 7, "chroot": "epel-9-x86_64", "status": 1}


@pytest.mark.parametrize("event_type", [TOPIC, None])
@pytest.mark.parametrize(
    "message",
    [
        {**BODY, "topic": TOPIC},
        {"topic": TOPIC, "msg": BODY, "msg_id": "2015-1", "i": 2},
        {"body": BODY, "headers": {}, "id": "1", "topic": TOPIC, "queue": None},
    ],
    ids=["squashed", "fedmsg", "dump"],
)
def test_same_event(event_of, message, event_type):
    assert event_of("fedora-messaging", event_type, message) == event_of("fedora-messaging", TOPIC, BODY)


@pytest.mark.parametrize(
    ("message", "letter"),
    [
        (BODY, Letter(body=BODY)),
        ({"topic": "t", "msg": 1}, Letter(body=1, at="msg", topic="t")),
        ({"topic": "t", "msg": 1, "timestamp": 2}, Letter(body=1, at="msg", topic="t", sent_at=2.0)),
        ({"topic": "t", "msg": 1, "timestamp": True}, Letter(body=1, at="msg", topic="t")),
        ({"topic": "t", "msg": 1, "timestamp": 10**400}, Letter(body=1, at="msg", topic="t")),
        ({"topic": "t", "body": 1, "queue": None}, Letter(body=1, at="body", topic="t")),
        ({"topic": None, "msg": 1}, Letter(body={"topic": None, "msg": 1})),
        ([], Letter(body=[])),
    ],
)
def test_opened(message, letter):
    assert opened(message) == letter


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ({"topic": TOPIC, "msg": None}, "msg: is null, not an object"),
        ({"topic": TOPIC, "msg": {"build": "7"}}, "msg.build: is str, not int"),
        ({"topic": TOPIC, "body": {}, "headers": {}}, "body.build: is missing or null"),
        ([BODY], "the payload: is list, not an object"),
        ({"topic": "another", "msg": BODY}, "topic: is not the one that was announced"),
    ],
)
def test_complaints_name_the_whole_path(refusal_of, message, why):
    assert refusal_of("fedora-messaging", TOPIC, message).malformed == why


def test_webhooks_of_github_come_in_no_envelope(refusal_of):
    wrapped = {"topic": "ping", "msg": {}, "body": {}, "headers": {}}
    assert (
        refusal_of("github", None, wrapped).ignored
        == "a message without a type from github asks nothing of us"
    )
    assert refusal_of("github", "push", wrapped).malformed == "ref: is missing or null"


def test_events_of_github_on_the_bus_are_no_webhooks(refusal_of):
    for kind in ("push", "release", "issue.comment", "commit_comment", "pull_request"):
        assert refusal_of(
            "fedora-messaging", f"org.fedoraproject.prod.github.{kind}", {"action": "published"}
        ).ignored
