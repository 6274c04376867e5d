"""Journals with something in them, written through the journal's own operations."""

from __future__ import annotations

import json
from datetime import timedelta

from sqlalchemy.orm import Session

from events.copr import CoprBuildEvent
from events.testing_farm import TestingFarmResultEvent
from packit_worker.journal import (
    Journal,
    builds,
    checks,
    decisions,
    deliveries,
    effects,
    events,
    runs,
    test_runs,
)
from packit_worker.journal.base import State, now
from packit_worker.journal.builds import BuildState
from packit_worker.journal.checks import CheckRow, Wanted
from packit_worker.journal.claims import take
from packit_worker.journal.decisions import Decision
from packit_worker.journal.deliveries import Delivery
from packit_worker.journal.effects import Effect
from packit_worker.journal.events import EventRow
from packit_worker.journal.runs import RunState
from packit_worker.ports import CheckStatus, Conclusion, TestState

PROJECT = "https://github.com/acme/hello"
PULL = f"{PROJECT}/pull/7"
COMMIT = "c" * 40
PULL_TASK = "task.process_pull_request_GH_event"
CHROOT = "fedora-43-x86_64"
LEASE = timedelta(seconds=60)

PULL_FACTS = {
    "project_url": PROJECT,
    "project_is_private": False,
    "installation_id": 1,
    "action": "opened",
    "pr_id": 7,
    "commit_sha": COMMIT,
    "user_login": "alice",
    "base_repo_namespace": "alice",
    "base_repo_name": "hello",
    "base_ref": "fix",
    "target_repo_namespace": "acme",
    "target_repo_name": "hello",
    "target_branch": "main",
}


def deliver(
    journal: Journal,
    id: str,
    *,
    source: str = "github",
    event_type: str = "pull_request",
    body: bytes | None = None,
    ignored: str | None = None,
    replay_window: timedelta | None = None,
) -> None:
    """A delivery comes in."""
    with journal.write() as session:
        deliveries.record(
            session,
            id=id,
            source=source,
            event_type=event_type,
            headers={"X-Hub-Signature-256": "sha256=secret-signature"},
            body=body if body is not None else json.dumps({"id": id}).encode(),
            ignored=ignored,
            replay_window=replay_window,
        )


def end_delivery(journal: Journal, id: str, state: State, reason: str | None) -> None:
    """Reading a delivery ends like this."""
    with journal.write() as session:
        taken = take(session, Delivery, id, LEASE)
        assert taken is not None
        taken[0].finish(session, state, reason)


def read(
    journal: Journal,
    delivery_id: str,
    event_id: str,
    *,
    task: str = PULL_TASK,
    kwargs: dict[str, object] | None = None,
    subject: str = PULL,
) -> None:
    """A delivery is read, and its event written down."""
    with journal.write() as session:
        taken = take(session, Delivery, delivery_id, LEASE)
        assert taken is not None
        assert events.record(
            session,
            id=event_id,
            delivery_id=delivery_id,
            task=task,
            lane="short-running",
            kwargs=kwargs or PULL_FACTS,
            subject=subject,
        )
        taken[0].finish(session, State.DONE, None)


def end_event(journal: Journal, event_id: str, state: State, reason: str, *decided: Decision) -> None:
    """An event is processed in one attempt, and ends like this."""
    with journal.write() as session:
        taken = take(session, EventRow, event_id, LEASE)
        assert taken is not None
        decisions.record(session, event_id, taken[1].attempts, decided)
        taken[0].finish(session, state, reason)


def show(session: Session, event_id: str, name: str, status: CheckStatus, title: str, version: int) -> None:
    """A check is wanted, and shown on the forge."""
    conclusion = Conclusion.SUCCESS if status == CheckStatus.COMPLETED else None
    wanted = Wanted(
        project_url=PROJECT,
        commit_sha=COMMIT,
        name=name,
        kind="rpm-build",
        job="0:copr_build",
        target=CHROOT,
        subject=PULL,
        installation_id=1,
        event_id=event_id,
        status=status,
        conclusion=conclusion,
        title=title,
    )
    (check_id,) = checks.want(session, [wanted])
    effect = Effect(
        key=f"check/{check_id}/{'create' if version == 1 else version}",
        kind="check",
        event_id=event_id,
        request={"name": name, "commit": COMMIT, "status": status, "conclusion": conclusion, "title": title},
    )
    effects.begin(session, effect)
    effects.confirm(session, effect.key, "500", f"{PROJECT}/runs/500")
    checks.shown(session, check_id, version, "500", f"{PROJECT}/runs/500")
    claimed = take(session, CheckRow, check_id, LEASE)
    assert claimed is not None
    claimed[0].finish(session, State.DONE, None)


def pull_request(journal: Journal, delivery_id: str = "pr-delivery", event_id: str = "pr-event") -> None:
    """A pull request from its webhook to the result of its tests: four deliveries, four events."""
    check = f"rpm-build:{CHROOT}"
    deliver(journal, delivery_id)
    read(journal, delivery_id, event_id)
    with journal.write() as session:
        taken = take(session, EventRow, event_id, LEASE)
        assert taken is not None
        decisions.record(
            session,
            event_id,
            1,
            [
                Decision(step="private repository", verdict="open", reason="the project is public"),
                Decision(
                    step="allowlist",
                    verdict="approved",
                    reason="the account acme is approved (approved_manually)",
                    facts={"account": "acme"},
                ),
            ],
        )
        key = ("PullRequestCoprBuildHandler", "0:copr_build", "")
        runs.plan(session, event_id, [key])
        order = Effect(
            key=f"copr_build/{event_id}",
            kind="copr_build",
            event_id=event_id,
            request={"project": "packit/acme-hello-7", "chroots": [CHROOT]},
        )
        effects.begin(session, order)
        effects.confirm(session, order.key, "100", "https://copr.example/build/100")
        row = {
            "system": "copr",
            "event_id": event_id,
            "task": PULL_TASK,
            "kwargs": PULL_FACTS,
            "project_url": PROJECT,
            "commit_sha": COMMIT,
            "job": "0:copr_build",
            "owner": "packit",
            "project_name": "acme-hello-7",
            "web_url": "https://copr.example/build/100",
        }
        builds.order(
            session, [row | {"build_id": "100", "chroot": chroot} for chroot in ("srpm-builds", CHROOT)]
        )
        show(session, event_id, check, CheckStatus.QUEUED, "The RPM build is queued", 1)
        note = "ordered Copr build 100"
        result = {"handler": key[0], "job": key[1], "target": "", "state": RunState.DONE, "note": note}
        runs.write_results(session, event_id, [result | {"started_at": now(), "finished_at": now()}])
        taken[0].finish(session, State.DONE, note)
    for phase in ("start", "end"):
        _copr_news(journal, event_id, phase, check)
    _test_news(journal, f"{event_id}-copr-end", event_id)


def _copr_news(journal: Journal, event_id: str, phase: str, check: str) -> None:
    news = f"{event_id}-copr-{phase}"
    topic = f"org.fedoraproject.prod.copr.build.{phase}"
    deliver(journal, f"{news}-delivery", source="fedora-messaging", event_type=topic)
    kwargs: dict[str, object] = {"phase": phase, "build_id": 100, "chroot": CHROOT, "status": 1}
    subject = CoprBuildEvent.subject_of(100, CHROOT)
    read(journal, f"{news}-delivery", news, task=CoprBuildEvent.task, kwargs=kwargs, subject=subject)
    end_event(
        journal,
        news,
        State.DONE,
        f"the build {phase}s",
        Decision(step="CoprBuildNews", verdict="run", reason=f"the build {phase}s"),
    )
    with journal.write() as session:
        build = builds.find(session, "copr", "100", CHROOT)
        assert build is not None
        if phase == "start":
            # Copr's clock is behind.
            builds.start(session, build.id, at=now() - timedelta(hours=1), log_url="https://copr.example/log")
        else:
            builds.end(session, build.id, BuildState.SUCCESS, at=now())
            show(session, event_id, check, CheckStatus.COMPLETED, "The RPM build succeeded", 2)


def _test_news(journal: Journal, ordered_by: str, event_id: str) -> None:
    request = f"request-of-{event_id}"
    with journal.write() as session:
        test_runs.order(
            session,
            {
                "request_id": request,
                "event_id": ordered_by,
                "task": PULL_TASK,
                "kwargs": PULL_FACTS,
                "project_url": PROJECT,
                "commit_sha": COMMIT,
                "job": "1:tests",
                "chroot": CHROOT,
                "build_id": "100",
                "web_url": "https://farm.example/1",
            },
        )
    news = f"{event_id}-tests"
    deliver(journal, f"{news}-delivery", source="testing-farm", event_type="result")
    subject = TestingFarmResultEvent.subject_of(request)
    kwargs: dict[str, object] = {"pipeline_id": request}
    read(journal, f"{news}-delivery", news, task=TestingFarmResultEvent.task, kwargs=kwargs, subject=subject)
    end_event(
        journal, news, State.DONE, "tests passed", Decision(step="tests", verdict="run", reason="they ran")
    )
    with journal.write() as session:
        test_runs.update_state(session, request, TestState.COMPLETE, "passed", "https://farm.example/1")
