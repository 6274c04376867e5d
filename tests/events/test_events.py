"""Events: their tasks, their facts, and the way through a task and back."""

from __future__ import annotations

import dataclasses
import json
import math
import subprocess
import sys
import typing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import events
from events import InvalidFact, UnknownTask, event_class, event_classes, rebuild
from events.base import LANES
from events.copr import CoprBuildEvent
from events.families import ProjectEvent
from events.github import PullRequestGHEvent
from events.pagure import PullRequestCommentPagureEvent, PullRequestPagureEvent, PushPagureEvent

FACTS = {
    "action": "opened",
    "pr_id": 1,
    "commit_sha": "abcd",
    "user_login": "author",
    "base_repo_namespace": None,
    "base_repo_name": None,
    "base_ref": None,
    "target_repo_namespace": "teapots",
    "target_repo_name": "kettle",
    "project_url": "https://github.com/teapots/kettle",
}
TASKS = {
    "task.process_check_run_rerun_GH_event",
    "task.process_check_suite_rerun_GH_event",
    "task.process_copr_build_event",
    "task.process_dist_git_commit_event",
    "task.process_installation_event",
    "task.process_issue_comment_event",
    "task.process_issue_comment_gitlab_event",
    "task.process_koji_build_event",
    "task.process_merge_request_comment_gitlab_event",
    "task.process_merge_request_gitlab_event",
    "task.process_pull_request_GH_event",
    "task.process_pull_request_comment_GH_event",
    "task.process_pull_request_comment_pagure_event",
    "task.process_pull_request_pagure_event",
    "task.process_push_GH_event",
    "task.process_push_gitlab_event",
    "task.process_push_pagure_event",
    "task.process_release_event",
    "task.process_release_gitlab_event",
    "task.process_testing_farm_result_event",
}
TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)
VALUES = {
    str: TEXT,
    int: st.integers(-(2**63) + 1, 2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    type(None): st.none(),
}


def test_it_is_our_package_and_not_another_of_that_name():
    here = Path(__file__).resolve().parents[2]
    assert Path(events.__file__) == here / "events" / "__init__.py"
    found = subprocess.run(
        [sys.executable, "-c", "import events; print(events.__file__, events.Event.__doc__)"],
        cwd=here,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.startswith(str(here))


def test_tasks():
    assert {cls.task for cls in event_classes()} == TASKS
    assert all(event_class(cls.task) is cls for cls in event_classes())
    assert all(cls.lane in LANES for cls in event_classes())


def test_only_the_standard_library():
    program = "import sys; before = set(sys.modules); import events; print(*(set(sys.modules) - before))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],
        cwd=Path(events.__file__).parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    tops = {name.partition(".")[0] for name in done.stdout.split()}
    assert tops - {"events"} <= sys.stdlib_module_names


@pytest.mark.parametrize("cls", event_classes(), ids=lambda cls: cls.__name__)
@given(data=st.data())
def test_round_trip(cls, data):
    hints = typing.get_type_hints(cls)
    facts = {}
    for field in dataclasses.fields(cls):
        members = typing.get_args(hints[field.name]) or (hints[field.name],)
        facts[field.name] = data.draw(st.one_of([VALUES[member] for member in members]))
    event = cls(**facts)
    assert event.facts() == facts
    assert rebuild(cls.task, json.loads(json.dumps(facts))) == event
    assert event.subject
    assert event.same_as is None or isinstance(event.same_as, str)


def test_frozen_and_by_keyword():
    event = PullRequestGHEvent(**FACTS)
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.pr_id = 2
    with pytest.raises(TypeError):
        PullRequestGHEvent("opened")


def test_unknown_arguments_are_left_out():
    event = rebuild(PullRequestGHEvent.task, {**FACTS, "of_the_next_release": [1]})
    assert event == PullRequestGHEvent(**FACTS)


def test_missing_arguments():
    with pytest.raises(InvalidFact, match=r"^pr_id: is missing$"):
        rebuild(PullRequestGHEvent.task, {name: value for name, value in FACTS.items() if name != "pr_id"})
    assert rebuild(PullRequestGHEvent.task, FACTS).installation_id is None


def test_unknown_task():
    with pytest.raises(UnknownTask, match=r"no event is carried by 'task\.brew'"):
        rebuild("task.brew", {})


@pytest.mark.parametrize(
    ("fact", "value", "why"),
    [
        ("pr_id", "1", "is str, not int"),
        ("pr_id", True, "is bool, not int"),
        ("pr_id", 1.0, "is float, not int"),
        ("pr_id", None, "is NoneType, not int"),
        ("pr_id", 2**63, "does not fit into 64 bits"),
        ("base_ref", 1, "is int, not str or null"),
        ("user_login", "a\x00b", "holds a NUL character"),
        ("user_login", "\udfff", "holds half a surrogate pair"),
        ("user_login", {}, "is dict, not str"),
        ("project_is_private", 0, "is int, not bool or null"),
    ],
)
def test_invalid_fact(fact, value, why):
    with pytest.raises(InvalidFact) as caught:
        PullRequestGHEvent(**{**FACTS, fact: value})
    assert (caught.value.fact, caught.value.why) == (fact, why)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_does_not_have(value):
    facts = dict.fromkeys(("chroot", "status", "owner", "project_name", "pkg"))
    with pytest.raises(InvalidFact, match="not a number that JSON has"):
        CoprBuildEvent(phase="end", build_id=1, timestamp=value, **facts)


def test_two_events_cannot_claim_one_task():
    with pytest.raises(TypeError, match=r"both claim task\.process_release_event"):
        type("Twin", (ProjectEvent,), {"task": "task.process_release_event"})


def test_an_event_needs_a_lane_that_exists():
    with pytest.raises(TypeError, match="no lane is called 'fast'"):
        type("Hasty", (ProjectEvent,), {"task": "task.process_hasty_event", "lane": "fast"})
    with pytest.raises(UnknownTask):
        event_class("task.process_hasty_event")


def test_pagure_tells_one_thing_twice():
    facts = {**FACTS, "updated_at": "2020-01-01T00:00:00Z"}
    assert PullRequestPagureEvent(**facts).same_as == PullRequestPagureEvent(**facts).same_as
    for change in (
        {"action": "synchronize"},
        {"commit_sha": "ef01"},
        {"updated_at": "2020-01-01T00:00:01Z"},
        {"pr_id": 2},
    ):
        assert (
            PullRequestPagureEvent(**facts).same_as != PullRequestPagureEvent(**{**facts, **change}).same_as
        )
    assert PullRequestPagureEvent(**FACTS).same_as is None


def test_comments_and_pushes_on_pagure_are_told_apart():
    comment = {
        "action": "edited",
        "pr_id": 1,
        "comment": "/packit build",
        "user_login": "author",
        "target_repo_namespace": None,
        "target_repo_name": "kettle",
        "project_url": "https://pagure.io/kettle",
    }
    assert PullRequestCommentPagureEvent(**comment, comment_id=1).same_as is None
    keyed = PullRequestCommentPagureEvent(**comment, comment_id=1, updated_at="2020-01-01T00:00:00Z").same_as
    assert keyed is not None
    assert keyed.startswith("https://pagure.io/kettle/pull-request/1#comment-1:edited:2020-01-01T00:00:00Z:")
    other = {**comment, "comment": "another wording"}
    assert (
        keyed
        != PullRequestCommentPagureEvent(**other, comment_id=1, updated_at="2020-01-01T00:00:00Z").same_as
    )
    push = PushPagureEvent(
        repo_namespace=None,
        repo_name="kettle",
        branch="a#b",
        commit_sha="ef01",
        commit_sha_before="abcd",
        project_url="https://pagure.io/kettle",
    )
    assert push.same_as == "https://pagure.io/kettle/tree/a%23b:abcd:ef01"
