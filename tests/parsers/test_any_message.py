"""Whatever arrives: never an exception, at most one task, and a task that every broker and worker can carry."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import parsers
from events import rebuild
from parsers.registry import ANY, registered, sources
from parsers.sending import MAX_BYTES, held

#: Words of the senders: with them random bodies get past the first lines of a parser.
WORDS = [
    "action",
    "number",
    "opened",
    "created",
    "edited",
    "published",
    "added",
    "pull_request",
    "issue",
    "comment",
    "comments",
    "user",
    "login",
    "type",
    "Bot",
    "body",
    "head",
    "base",
    "sha",
    "ref",
    "repo",
    "repository",
    "owner",
    "name",
    "html_url",
    "private",
    "installation",
    "id",
    "account",
    "repositories",
    "repositories_added",
    "full_name",
    "before",
    "after",
    "deleted",
    "sender",
    "pusher",
    "release",
    "tag_name",
    "pullrequest",
    "project",
    "repo_from",
    "namespace",
    "fullname",
    "full_url",
    "url_path",
    "parent",
    "branch",
    "branch_from",
    "commit_stop",
    "agent",
    "end_commit",
    "old_commit",
    "commit",
    "rev",
    "topic",
    "msg",
    "headers",
    "queue",
    "timestamp",
    "build",
    "chroot",
    "copr",
    "status",
    "pkg",
    "new",
    "old",
    "build_id",
    "task_id",
    "task",
    "method",
    "request",
    "info",
    "children",
    "start_time",
    "srpm",
    "request_id",
    "pipeline",
    "result",
    "message",
    "url",
    "artifact",
    "git-url",
    "tests",
    "token",
    "pagure_instance",
    "project_fullname",
    "notification",
    "editor",
    "last_updated",
    "edited_on",
]
VALUES = (
    "opened",
    "created",
    "published",
    "added",
    "0123456789abcdef0123456789abcdef01234567",
    "0" * 40,
    "refs/heads/main",
    "https://src.fedoraproject.org/rpms/kettle",
    "OPEN",
    "CLOSED",
    "\ud800",
    "\x00",
    "A" * 200_000,
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(0, 5)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(VALUES)
    | st.just(10**400)
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=4), inner, max_size=8)
    ),
    max_leaves=25,
)

PREFIXES = {"fedora-messaging": "org.fedoraproject.prod.", "centosmsg": "git.centos.org/"}
KINDS = sorted((source, PREFIXES.get(source, "") + name) for source, name in registered())

HEAD, OLD = "0123456789abcdef0123456789abcdef01234567", "89abcdef0123456789abcdef0123456789abcdef"
_REPO = {
    "name": "kettle",
    "namespace": "rpms",
    "fullname": "rpms/kettle",
    "url_path": "rpms/kettle",
    "full_url": "https://src.fedoraproject.org/rpms/kettle",
    "parent": None,
    "user": {"name": "owner"},
    "owner": {"login": "teapots"},
    "html_url": "https://github.com/teapots/kettle",
    "private": False,
}
_COMMENT = {
    "id": 1,
    "comment": "/packit build",
    "body": "/packit build",
    "user": {"name": "a", "login": "a", "type": "User"},
}
#: A body in which every parser finds what it looks for: variants of it reach every line.
EVERYTHING: dict[str, Any] = {
    "action": "created",
    "number": 1,
    "repository": _REPO,
    "repo": _REPO,
    "sender": {"login": "a", "id": 1},
    "installation": {"id": 1, "account": {"login": "a", "id": 2}, "created_at": 5},
    "repositories": [{"full_name": "a/b"}],
    "repositories_added": [{"full_name": "a/b"}],
    "pull_request": {
        "user": {"login": "a"},
        "head": {"sha": HEAD, "ref": "x", "repo": _REPO},
        "base": {"ref": "main", "repo": _REPO},
    },
    "issue": {"number": 1},
    "comment": _COMMENT,
    "ref": "refs/heads/main",
    "before": OLD,
    "after": HEAD,
    "release": {"tag_name": "v1"},
    "agent": "a",
    "branch": "main",
    "end_commit": HEAD,
    "old_commit": OLD,
    "pullrequest": {
        "id": 1,
        "branch": "main",
        "branch_from": "x",
        "commit_stop": HEAD,
        "project": _REPO,
        "repo_from": _REPO,
        "user": {"name": "a"},
        "comments": [_COMMENT],
    },
    "commit": {"repo": "kettle", "branch": "main", "rev": HEAD},
    "build": 1,
    "chroot": "c",
    "status": 0,
    "id": 1,
    "build_id": 1,
    "new": 1,
    "old": 0,
    "info": {"children": [{"id": 1, "method": "buildArch"}], "request": ["a", "b", {}], "start_time": 1.5},
    "pipeline": {"id": "p"},
    "result": "passed",
    "tests": [{"name": "t"}],
    "artifact": {"git-url": "https://github.com/a/b.git"},
    "token": "open-sesame",
}


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of everything in the sample."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, inner in items for place in places(inner, (*path, key)))]


PLACES = [place for place in places(EVERYTHING) if place]


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy of the sample with something else at the path."""
    if not path:
        return new
    copy = list(value) if isinstance(value, list) else dict(value)
    copy[path[0]] = put(copy[path[0]], path[1:], new)
    return copy


def check(source: Any, event_type: Any, body: Any) -> parsers.Parsed:
    with held() as sendings:
        answer = parsers.parse(source, event_type, body)
    reasons = [reason for reason in (answer.ignored, answer.malformed) if reason is not None]
    assert len(sendings) + len(reasons) == 1
    for reason in reasons:
        assert reason
        assert len(reason) <= 400
        assert reason.isprintable()
        reason.encode()
    for sending in sendings:
        assert all(type(value) in (str, int, float, bool, type(None)) for value in sending.kwargs.values())
        wire = json.dumps(sending.kwargs, allow_nan=False)
        assert len(wire) <= MAX_BYTES
        assert "open-sesame" not in wire
        again = rebuild(sending.task, json.loads(wire))
        assert again == sending.event
        assert again.subject == sending.event.subject
        assert again.same_as == sending.event.same_as
    return answer


@settings(max_examples=400, deadline=None)
@given(kind=st.sampled_from(KINDS), body=ANYTHING)
def test_random_bodies(kind, body):
    check(*kind, body)


@settings(max_examples=600, deadline=None)
@given(
    kind=st.sampled_from(KINDS), changes=st.lists(st.tuples(st.sampled_from(PLACES), ANYTHING), max_size=3)
)
def test_variants_of_a_body_with_everything(kind, changes):
    body = EVERYTHING
    for path, value in changes:
        try:
            body = put(body, path, value)
        except (KeyError, IndexError, TypeError, ValueError):
            continue
    check(*kind, body)


@settings(max_examples=200, deadline=None)
@given(
    source=st.sampled_from(sources()) | st.text(max_size=5) | ANYTHING,
    event_type=st.text(max_size=30) | ANYTHING,
    body=ANYTHING,
)
def test_random_names(source, event_type, body):
    check(source, event_type, body)


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("kind", KINDS, ids="/".join)
@pytest.mark.parametrize(
    "odd", [nested(3000), math.nan, "\ud800", "\x00", 10**400, -(2**63) - 1, "A" * 2**20]
)
def test_one_odd_value_in_every_place(kind, odd):
    check(*kind, odd)
    for place in PLACES:
        check(*kind, put(EVERYTHING, place, odd))
    check(*kind, {**EVERYTHING, "deep": odd})


@pytest.mark.parametrize("odd", [nested(3000), {"a": nested(3000)}, {1}, b"push", 3, math.nan, "A" * 2**20])
def test_odd_names(odd):
    assert check("github", odd, EVERYTHING).ignored
    assert check(odd, "push", EVERYTHING).ignored
    assert check("fedora-messaging", odd, EVERYTHING).ignored


def test_everything_reaches_the_end():
    answers = {kind: check(*kind, EVERYTHING) for kind in KINDS if kind[1] != ANY}
    sent = {kind[1].rpartition("/")[2] for kind, answer in answers.items() if answer == parsers.Parsed()}
    assert {"issue_comment", "push", "installation", "pull-request.new"} <= sent
