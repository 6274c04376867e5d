"""The whole story of a delivery, out of the journal alone."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from cli import written
from cli.written import CHROOT, PROJECT, PULL, PULL_TASK

from packit_worker.journal import Journal, checks, effects, events, runs, story
from packit_worker.journal.base import State, now
from packit_worker.journal.checks import CheckRow
from packit_worker.journal.claims import take
from packit_worker.journal.decisions import Decision
from packit_worker.journal.effects import Effect
from packit_worker.journal.events import EventRow
from packit_worker.journal.runs import RunState
from packit_worker.journal.story import Entry, Story
from packit_worker.ports import CheckStatus


def tell(journal: Journal, delivery_id: str) -> Story:
    with journal.read() as session:
        told = story.of_delivery(session, delivery_id)
    assert told is not None
    return told


def of_kind(told: Story, kind: str) -> list[Entry]:
    return [entry for entry in told.entries if entry.kind == kind]


def test_the_story_of_a_pull_request_goes_on_to_the_result_of_its_tests(journal: Journal) -> None:
    written.pull_request(journal)
    told = tell(journal, "pr-delivery")
    assert [entry.title for entry in of_kind(told, "received")] == [
        "github pull_request",
        "fedora-messaging org.fedoraproject.prod.copr.build.start",
        "fedora-messaging org.fedoraproject.prod.copr.build.end",
        "testing-farm result",
    ]
    assert [entry.title for entry in of_kind(told, "event")] == [
        PULL_TASK,
        "task.process_copr_build_event",
        "task.process_copr_build_event",
        "task.process_testing_farm_result_event",
    ]
    assert len(of_kind(told, "parsed")) == len(of_kind(told, "done")) == len(of_kind(told, "claimed")) == 4
    assert [entry.title for entry in of_kind(told, "decision")][:2] == [
        "private repository: open",
        "allowlist: approved",
    ]
    assert [(entry.title, entry.text) for entry in of_kind(told, "build")] == [
        ("copr build 100: ordered", "srpm-builds"),
        ("copr build 100: ordered", CHROOT),
        ("copr build 100: running", CHROOT),
        ("copr build 100: success", CHROOT),
    ]
    assert [entry.title for entry in of_kind(told, "test_run")] == [
        "testing-farm request request-of-pr-event: ordered",
        "testing-farm request request-of-pr-event: passed",
    ]


def test_checks_tell_what_was_shown_when(journal: Journal) -> None:
    written.pull_request(journal)
    shown = of_kind(tell(journal, "pr-delivery"), "check")
    assert [entry.text for entry in shown] == [
        "queued: The RPM build is queued",
        "success: The RPM build succeeded",
    ]
    assert {entry.title for entry in shown} == {f"rpm-build:{CHROOT}"}
    assert shown[0].url == f"{PROJECT}/runs/500"


def test_entries_come_in_the_order_of_time_and_the_order_does_not_change(journal: Journal) -> None:
    written.pull_request(journal)
    first = tell(journal, "pr-delivery")
    assert [entry.at for entry in first.entries] == sorted(entry.at for entry in first.entries)
    assert first.entries[0].kind == "received"
    assert [entry.kind for entry in first.entries[:4]] == ["received", "parsed", "event", "claimed"]
    assert tell(journal, "pr-delivery") == first


def test_the_number_of_statements_does_not_grow_with_what_happened(journal: Journal) -> None:
    written.pull_request(journal)
    for number in range(40):
        decided = [Decision(step=f"step {n}", verdict="run", reason="why not") for n in range(5)]
        news, subject = f"more-{number}", f"copr:100:{CHROOT}"
        written.deliver(journal, f"d-{news}", source="fedora-messaging", event_type="more")
        written.read(journal, f"d-{news}", news, subject=subject)
        written.end_event(journal, news, State.DONE, "", *decided)
    with journal.counted() as cost:
        told = tell(journal, "pr-delivery")
    assert len(of_kind(told, "received")) == 44
    assert cost.statements <= 20


def test_news_of_an_order_has_a_story_of_its_own(journal: Journal) -> None:
    written.pull_request(journal)
    told = tell(journal, "pr-event-copr-end-delivery")
    assert [entry.title for entry in of_kind(told, "received")][-1] == "testing-farm result"
    assert len(of_kind(told, "received")) == 2


def test_json_has_plain_values_and_no_headers(journal: Journal) -> None:
    written.pull_request(journal)
    text = json.dumps(tell(journal, "pr-delivery").to_json())
    assert "secret-signature" not in text
    made = json.loads(text)
    assert made["id"] == "pr-delivery"
    assert made["outcome"] == "done"
    assert made["url"] == PULL
    assert made["received_at"].endswith("Z")
    assert set(made["entries"][0]) == {"at", "kind", "title", "text", "next_step", "url", "facts"}


def test_an_unknown_delivery_has_no_story(journal: Journal) -> None:
    with journal.read() as session:
        assert story.of_delivery(session, "nobody") is None
        assert story.delivery_of(session, "nobody") is None
        assert story.deliveries_of_subject(session, f"{PROJECT}/pull/99") == []


@pytest.mark.parametrize(
    ("state", "next_step"),
    [
        (State.MALFORMED, None),
        (State.IGNORED, None),
        (State.DEAD, "packit-worker replay d"),
    ],
)
def test_a_delivery_without_event_says_why(journal: Journal, state: State, next_step: str | None) -> None:
    written.deliver(journal, "d")
    written.end_delivery(journal, "d", state, "this is why")
    last = tell(journal, "d").entries[-1]
    assert (last.kind, last.text, last.next_step) == (state, "this is why", next_step)


def test_a_held_delivery_can_be_released(journal: Journal) -> None:
    written.deliver(journal, "first", body=b"{}")
    written.deliver(journal, "second", body=b"{}", replay_window=timedelta(days=1))
    last = tell(journal, "second").entries[-1]
    assert (last.kind, last.next_step) == ("held", "packit-worker replay second")
    assert "first" in last.text


def test_an_ignored_event_tells_the_next_step_of_its_decision(journal: Journal) -> None:
    written.deliver(journal, "d")
    written.read(journal, "d", "e")
    refused = Decision(
        step="allowlist", verdict="refused", reason="not approved", next_step="Ask for approval."
    )
    written.end_event(journal, "e", State.IGNORED, "not approved", refused)
    last = tell(journal, "d").entries[-1]
    assert (last.kind, last.text, last.next_step) == ("ignored", "not approved", "Ask for approval.")


def test_a_dead_event_can_be_replayed(journal: Journal) -> None:
    written.deliver(journal, "d")
    written.read(journal, "d", "e")
    written.end_event(journal, "e", State.DEAD, "Copr was away")
    last = tell(journal, "d").entries[-1]
    assert (last.kind, last.next_step) == ("dead", "packit-worker replay e")


def test_a_superseded_event_names_the_newer(journal: Journal) -> None:
    for number in (1, 2):
        written.deliver(journal, f"d{number}")
        written.read(journal, f"d{number}", f"e{number}")
    with journal.write() as session:
        events.supersede(session, subject=PULL, task=PULL_TASK, by="e2")
    (last,) = of_kind(tell(journal, "d1"), "superseded")
    assert "e2" in last.text


def test_what_comes_again_stands_at_the_time_it_comes(journal: Journal) -> None:
    written.deliver(journal, "d")
    written.read(journal, "d", "e")
    due = now() + timedelta(minutes=5)
    key = ("Handler", "0:copr_build", "")
    with journal.write() as session:
        taken = take(session, EventRow, "e", written.LEASE)
        assert taken is not None
        runs.plan(session, "e", [key])
        result = {
            "handler": key[0],
            "job": key[1],
            "target": "",
            "state": RunState.RETRY,
            "note": "Copr is away",
        }
        runs.write_results(session, "e", [result | {"finished_at": now()}])
        taken[0].put_back(session, due, "Copr is away")
    told = tell(journal, "d")
    (run,) = of_kind(told, "run")
    assert run.title == "Handler for 0:copr_build: to be tried again"
    last = told.entries[-1]
    assert (last.kind, last.at, last.text) == ("retry", due, "comes again: Copr is away")


def test_an_effect_without_answer_and_one_refused(journal: Journal) -> None:
    written.deliver(journal, "d")
    written.read(journal, "d", "e")
    with journal.write() as session:
        for name in ("lost", "refused", "not-sent"):
            effects.begin(session, Effect(key=name, kind="issue", event_id="e", request={"title": name}))
        effects.unanswered(session, "lost", "timed out")
        effects.refuse(session, "refused", "no such project")
        effects.not_sent(session, "not-sent", "no connection")
    assert {entry.title: entry.text for entry in of_kind(tell(journal, "d"), "effect")} == {
        "issue: sent": "title lost; call 1 is out, its answer has not come: timed out",
        "issue: refused": "title refused; the other side said no: no such project",
        "issue: planned": "title not-sent; not carried out yet: no connection",
    }


def test_a_check_that_the_forge_does_not_take_is_told(journal: Journal) -> None:
    written.pull_request(journal)
    with journal.write() as session:
        check = session.query(CheckRow).one()
        wanted = check.with_words(CheckStatus.QUEUED, None, "again", "")
        checks.want(session, [wanted])
        taken = take(session, CheckRow, check.id, written.LEASE)
        assert taken is not None
        taken[0].finish(session, State.DEAD, "the forge does not take it")
    (dead,) = of_kind(tell(journal, "pr-delivery"), "dead")
    assert (dead.title, dead.text) == (f"rpm-build:{CHROOT}", "cannot be shown: the forge does not take it")


def test_ids_of_deliveries_events_and_checks_lead_to_the_delivery(journal: Journal) -> None:
    written.pull_request(journal)
    with journal.read() as session:
        check_id = session.query(CheckRow.id).scalar()
        for id in ("pr-delivery", "pr-event", check_id):
            assert story.delivery_of(session, id) == "pr-delivery"


@pytest.mark.parametrize(
    "pasted",
    [
        PULL,
        f"{PULL}/",
        f"  {PULL}/files\n",
        f"{PULL}/files?w=1#diff-1",
        f"{PULL}#issuecomment-5",
        f"{PULL}/commits/{'c' * 40}",
    ],
)
def test_a_pasted_address_of_a_pull_request_is_understood(journal: Journal, pasted: str) -> None:
    for number in (1, 2):
        written.deliver(journal, f"d{number}")
        written.read(journal, f"d{number}", f"e{number}")
    written.deliver(journal, "other")
    written.read(journal, "other", "e-other", subject=f"{PROJECT}/pull/77")
    with journal.read() as session:
        assert story.deliveries_of_subject(session, pasted) == ["d1", "d2"]


def test_other_subjects_stay_as_they_are() -> None:
    assert story.subject_of_url(f"{PROJECT}/tree/pull/7x") == f"{PROJECT}/tree/pull/7x"
    assert story.subject_of_url("copr:100:fedora-43-x86_64") == "copr:100:fedora-43-x86_64"


def test_pages_of_the_latest_deliveries(journal: Journal) -> None:
    for number in range(5):
        written.deliver(journal, f"d{number}")
    written.read(journal, "d4", "e4")
    with journal.read() as session:
        first = story.latest(session, 2)
        second = story.latest(session, 2, after=first[-1].id)
        third = story.latest(session, 2, after=second[-1].id)
        assert story.latest(session, 2, after=third[-1].id) == []
    assert [[row.id for row in page] for page in (first, second, third)] == [
        ["d4", "d3"],
        ["d2", "d1"],
        ["d0"],
    ]
    assert (first[0].subject, first[0].outcome, first[0].url) == (PULL, "ready", PULL)
    assert first[1].task is None
    assert json.dumps(first[0].to_json())
