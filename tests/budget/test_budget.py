"""What one pull request may cost: statements, transactions, calls, bytes. Counts only, so the machine does not matter.

A test that fails here names what was added. Where the addition is worth it, the budget is changed with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from benchmarks.counting import CountedService, Handled, statements
from benchmarks.economy import BYTES, FEW, MANY, READS, STATEMENTS, TRANSACTIONS
from benchmarks.scene import Project

#: Jobs that match -> the first and the second event of a repository.
Events = Mapping[int, tuple[Handled, Handled]]

#: Of one thing done outside: announced, done, confirmed.
TRANSACTIONS_OF_AN_EFFECT = 2


def each(handled: Events) -> Iterator[tuple[int, Handled]]:
    return ((jobs, event) for jobs, events in handled.items() for event in events)


def listed(event: Handled) -> str:
    """The statements of the event task, for whoever has to find the one too many."""
    return "\n".join(
        f"{'effect ' if transaction.is_of_an_effect else ''}{' '.join(statement.split())[:120]}"
        for transaction in event.event.transactions
        for statement in transaction.statements
    )


def test_an_event_keeps_to_its_budget(handled: Events) -> None:
    for jobs, event in each(handled):
        beside = event.event.beside_effects
        assert len(statements(beside)) <= STATEMENTS, listed(event)
        assert len(beside) <= TRANSACTIONS, listed(event)
        assert len(event.event.of_effects) == TRANSACTIONS_OF_AN_EFFECT * jobs, listed(event)


def test_twenty_jobs_cost_beside_their_effects_what_one_does(handled: Events) -> None:
    few, many = ([len(t.statements) for t in handled[n][1].event.beside_effects] for n in (FEW, MANY))
    assert few == many


def test_an_effect_costs_the_same_for_every_job(handled: Events) -> None:
    effects = handled[MANY][1].event.of_effects
    # The first has no run before it whose result it could write down.
    confirmations = [len(transaction.statements) for transaction in effects[1::2]][1:]
    assert set(confirmations) == {confirmations[0]}
    assert confirmations[0] <= 6, listed(handled[MANY][1])
    assert {len(transaction.statements) for transaction in effects[0::2]} == {2}


def test_the_journal_is_read_in_one_transaction_and_no_fact_twice(handled: Events) -> None:
    for _, event in each(handled):
        reading = [
            [one for one in transaction.statements if one.lstrip().startswith("SELECT")]
            for transaction in event.event.transactions
        ]
        (reads,) = [found for found in reading if found]
        assert len(reads) == len(set(reads)) <= 3, listed(event)


def test_what_is_done_around_the_event_is_cheap(handled: Events) -> None:
    for _, event in each(handled):
        assert len(statements(event.accepted.transactions)) <= 2
        assert len(event.accepted.transactions) == 1
        # One of them counts what waits of the same account, so that nobody has to wait for a flood.
        assert len(statements(event.parsing.transactions)) <= 5
        assert len(event.parsing.transactions) <= 2
        for shown in event.shown:
            assert len(statements(shown.transactions)) <= 7
            assert len(shown.transactions) <= 4


def test_a_check_is_told_to_github_in_one_call(handled: Events) -> None:
    for jobs, event in each(handled):
        told = Counter(call.path for work in event.shown for call in work.made("github"))
        assert list(told.values()) == [jobs]


def test_few_things_are_read_from_github_before_the_first_check(handled: Events) -> None:
    for _, event in each(handled):
        reads = event.reads_before_first_check
        assert len(reads) <= READS, [call.path for call in reads]


def test_the_second_event_of_a_repository_needs_no_token(handled: Events) -> None:
    first, second = handled[FEW]
    assert first.tokens <= 1
    assert second.tokens == 0


def test_two_events_of_one_commit_read_its_configuration_once(service: CountedService) -> None:
    project = Project(service.sandbox.github, "reopened", FEW).create()
    pull = project.open(1)
    service.handle(project.opened(pull))
    again = service.sandbox.github.webhook(
        "pull_request", "reopened", repository=project.full_name, pull_request=pull.number
    )
    reads = [call.path for call in service.handle(again).event.made("github") if call.method == "GET"]
    assert [path for path in reads if "/contents" in path] == []


def test_jobs_share_what_is_asked_of_github_and_copr(handled: Events) -> None:
    few, many = (handled[jobs][1].event for jobs in (FEW, MANY))
    assert len(few.made("github")) == len(many.made("github"))
    # A project and a build for each job; the list of chroots was known.
    assert len(many.made("copr")) <= MANY * len(few.made("copr"))


def test_messages_are_wake_ups_and_no_parcels(handled: Events) -> None:
    for _, event in each(handled):
        sizes = {work.task: work.message_bytes for work in event.tasks}
        assert max(sizes.values()) < BYTES, sizes
