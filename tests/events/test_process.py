"""``process()``: four steps, in this order, and which events skip which of them."""

from __future__ import annotations

from typing import Any

import pytest

from events.copr import CoprBuildEvent
from events.github import InstallationEvent, ReleaseEvent
from events.outcome import Ending, Outcome
from events.pipeline import current, in_place

RELEASE = ReleaseEvent(
    repo_namespace="teapots",
    repo_name="kettle",
    tag_name="v1",
    project_url="https://github.com/teapots/kettle",
)
BUILD = CoprBuildEvent(
    phase="end", build_id=1, chroot=None, status=1, owner=None, project_name=None, pkg=None
)
INSTALLATION = InstallationEvent(
    action="created",
    installation_id=1,
    account_login="Teapots",
    account_id=None,
    account_url=None,
    account_type=None,
    sender_login=None,
    sender_id=None,
    created_at=None,
    repositories="",
)


class RecordingPipeline:
    """Writes down what it is asked, and answers what it was told to."""

    def __init__(
        self, *, is_open: bool = True, runs: tuple[str, ...] = ("copr", "koji"), is_approved: bool = True
    ):
        self.steps: list[str] = []
        self._is_open, self._runs, self._is_approved = is_open, runs, is_approved

    def is_open_project(self, event: Any) -> bool:
        self.steps.append("project")
        return self._is_open

    def plan(self, event: Any) -> tuple[str, ...]:
        self.steps.append("plan")
        return self._runs

    def is_approved(self, event: Any, plan: Any) -> bool:
        assert plan == self._runs
        self.steps.append("account")
        return self._is_approved

    def run(self, run: str) -> Outcome:
        self.steps.append(run)
        return Outcome(handler=run, job="build", target="rawhide", ending=Ending.DONE, note="")


@pytest.mark.parametrize(
    ("event", "answers", "steps"),
    [
        (RELEASE, {}, ["project", "plan", "account", "copr", "koji"]),
        (RELEASE, {"is_open": False}, ["project"]),
        (RELEASE, {"runs": ()}, ["project", "plan"]),
        (RELEASE, {"is_approved": False}, ["project", "plan", "account"]),
        (BUILD, {"is_open": False, "is_approved": False}, ["plan", "copr", "koji"]),
        (INSTALLATION, {"is_open": False, "is_approved": False}, ["plan", "copr", "koji"]),
        (BUILD, {"runs": ()}, ["plan"]),
    ],
)
def test_steps(event, answers, steps):
    pipeline = RecordingPipeline(**answers)
    with in_place(pipeline):
        outcomes = event.process()
    assert pipeline.steps == steps
    assert [outcome.handler for outcome in outcomes] == [step for step in steps if step in ("copr", "koji")]


def test_without_a_pipeline():
    with pytest.raises(RuntimeError, match="no pipeline is in place"):
        RELEASE.process()


def test_a_pipeline_is_in_place_only_inside():
    outer, inner = RecordingPipeline(), RecordingPipeline()
    with in_place(outer):
        with in_place(inner):
            assert current() is inner
        assert current() is outer
    with pytest.raises(RuntimeError):
        current()


def test_subject_of_an_installation_is_its_account():
    assert INSTALLATION.subject == "installation:teapots"
