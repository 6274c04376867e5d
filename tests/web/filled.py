"""A journal in which a lot has happened, much of it with texts of people who mean harm."""

from __future__ import annotations

from cli import written
from sqlalchemy import update

from packit_worker.journal import Journal, accounts, budgets, builds, checks, projects, runs
from packit_worker.journal.accounts import Approval
from packit_worker.journal.base import State, now
from packit_worker.journal.budgets import Known
from packit_worker.journal.builds import BuildState
from packit_worker.journal.checks import CheckRow, Wanted
from packit_worker.journal.decisions import Decision
from packit_worker.journal.runs import RunState
from packit_worker.ports import CheckStatus, Conclusion

PROJECT = written.PROJECT
PULL = written.PULL
NEW_COMMIT = "d" * 40
HOSTILE = "<img src=x onerror=alert(1)>\"'><script>alert(2)</script>\u202egnp.exe" + "W" * 200


def fill(journal: Journal, hostile: str = HOSTILE) -> None:
    """A pull request and a second push to it, a dead event and delivery, a held one, builds in Copr and Koji."""
    written.pull_request(journal)
    _second_push(journal, hostile)
    _dead(journal, hostile)
    _koji(journal, hostile)
    with journal.write() as session:
        projects.see(session, PROJECT, is_private=False, installation_id=1)
        soon = now().timestamp() + 1800
        budgets.tell(
            session,
            {
                ("github.com", "7"): Known(limit=5000, remaining=4000, reset_at=soon),
                ("github.com", "8"): Known(limit=15000, remaining=12, reset_at=soon),
                ("copr.example", ""): Known(paused_until=soon),
                ("gitlab.example", ""): Known(limit=2000, remaining=3, reset_at=1.0),
            },
        )
        for state in Approval:
            accounts.introduce(session, "github.com", f"acme-{state}", state, by="carol", why=hostile)


def _second_push(journal: Journal, hostile: str) -> None:
    written.deliver(journal, "pushed")
    kwargs = {**written.PULL_FACTS, "action": "synchronize", "commit_sha": NEW_COMMIT}
    written.read(journal, "pushed", "pushed-event", kwargs=kwargs)
    with journal.write() as session:
        checks.want(session, [_wanted("pushed-event", NEW_COMMIT, "rpm-build:fedora-43-x86_64", hostile)])
        row = _build("pushed-event", "101", NEW_COMMIT) | {
            "kwargs": kwargs,
            "log_url": "https://copr.example/log",
        }
        builds.order(session, [row | {"chroot": "fedora-43-x86_64"}, row | {"chroot": hostile[:80]}])
        found = builds.find(session, "copr", "101", "fedora-43-x86_64")
        assert found is not None
        builds.end(session, found.id, BuildState.FAILURE, at=now())
    decided = Decision(
        step="allowlist", verdict="refused", reason=hostile, next_step=hostile, facts={"a": hostile}
    )
    written.end_event(journal, "pushed-event", State.DONE, hostile, decided)


def _dead(journal: Journal, hostile: str) -> None:
    for name in ("dead-event", "held/delivery", "dead-delivery", hostile[:60]):
        written.deliver(journal, name, event_type=hostile[:90])
    kwargs = {**written.PULL_FACTS, "pr_id": 8, "commit_sha": "e" * 40}
    written.read(journal, "dead-event", "dead", kwargs=kwargs, subject=f"{PROJECT}/pull/8")
    with journal.write() as session:
        key = ("Handler", "0:copr_build", "")
        runs.plan(session, "dead", [key])
        failed = {"handler": key[0], "job": key[1], "target": "", "state": RunState.FAILED, "note": hostile}
        runs.write_results(session, "dead", [failed | {"started_at": now(), "finished_at": now()}])
        wanted = _wanted("dead", "e" * 40, "rpm-build:fedora-44-x86_64", hostile, f"{PROJECT}/pull/8")
        checks.want(session, [wanted])
        session.execute(
            update(CheckRow)
            .where(CheckRow.id == wanted.id)
            .values(state=State.DEAD, reason="GitHub says no", finished_at=now())
        )
    written.end_event(journal, "dead", State.DEAD, f"given up: {hostile}")
    written.end_delivery(journal, "held/delivery", State.HELD, "suspected replay")
    written.end_delivery(journal, "dead-delivery", State.DEAD, hostile)


def _koji(journal: Journal, hostile: str) -> None:
    with journal.write() as session:
        row = _build("pr-event", "77", written.COMMIT) | {
            "system": "koji",
            "chroot": "f43",
            "project_name": "",
        }
        builds.order(session, [row | {"web_url": f"javascript:{hostile}"}])


def _wanted(event_id: str, commit: str, name: str, title: str, subject: str = PULL) -> Wanted:
    return Wanted(
        project_url=PROJECT,
        commit_sha=commit,
        name=name,
        kind="rpm-build",
        job="0:copr_build",
        target="fedora-43-x86_64",
        subject=subject,
        installation_id=1,
        event_id=event_id,
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.FAILURE,
        title=title,
        url="https://copr.example/details",
    )


def _build(event_id: str, build_id: str, commit: str) -> dict[str, object]:
    return {
        "system": "copr",
        "build_id": build_id,
        "event_id": event_id,
        "task": written.PULL_TASK,
        "kwargs": written.PULL_FACTS,
        "project_url": PROJECT,
        "commit_sha": commit,
        "job": "0:copr_build",
        "owner": "packit",
        "project_name": "acme-hello-7",
        "web_url": f"https://copr.example/build/{build_id}",
    }
