"""What operators are told of by Sentry: each failure once, when it is final, and without secrets."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sentry_sdk
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport
from stories.world import ONE_BUILD, REPOSITORY, SPEC, World

from packit_worker import logs, sentry
from packit_worker.config.service import ServiceConfigError, from_mapping
from packit_worker.handlers.copr import PullRequestCoprBuildHandler

DSN = "https://key@sentry.example/1"
HANDLER = "PullRequestCoprBuildHandler"
TASK = "task.process_pull_request_GH_event"
MANY = 20


class Kept(Transport):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        super().__init__()
        self.envelopes: list[Envelope] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.envelopes.append(envelope)

    def items(self, kind: str) -> list[Any]:
        return [
            item.payload.json for envelope in self.envelopes for item in envelope.items if item.type == kind
        ]

    @property
    def reports(self) -> list[Any]:
        """The errors, in the order they were reported."""
        return self.items("event")

    @property
    def text(self) -> str:
        return json.dumps([*self.items("event"), *self.items("transaction")])


@pytest.fixture
def start() -> Iterator[Callable[..., Kept]]:
    """Set Sentry up as a process does, but for the transport."""

    def begin(**more: Any) -> Kept:
        kept = Kept()
        flood = sentry.Flood(**more.pop("flood", {}))
        sentry.setup(from_mapping({"sentry_dsn": DSN, **more}), transport=kept, flood=flood)
        return kept

    yield begin
    sentry_sdk.get_global_scope().set_client(None)
    sentry_sdk.get_isolation_scope().clear()


@pytest.fixture
def kept(start: Callable[..., Kept]) -> Kept:
    return start()


def a_bug(*_: Any) -> str:
    token = "ghs_canary_in_a_variable"
    raise KeyError(f"no such key, says {len(token)} ghs_canary_in_a_message")


def opened(world: World, config: str = ONE_BUILD) -> Any:
    """A pull request has come in, with its delivery."""
    pull = world.repository(config)
    delivery = world.opened(pull)
    world.post(delivery)
    return delivery


def another_is_opened(world: World, number: int) -> None:
    """One more pull request of the same repository has come in."""
    files = {".packit.yaml": ONE_BUILD, "hello.spec": SPEC, "number": str(number)}
    pull = world.sandbox.github.open_pull_request(
        REPOSITORY, author="alice", files=files, title=f"Number {number}"
    )
    world.post(world.opened(pull))


def test_a_bug_in_a_handler_is_one_report(world: World, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    logs.add_secret("ghs_canary_in_a_message")
    monkeypatch.setattr(PullRequestCoprBuildHandler, "run", a_bug)
    delivery = opened(world)
    world.work()
    (report,) = kept.reports
    (event,) = world.events()
    assert report["transaction"] == TASK
    assert report["tags"] == {
        "delivery": delivery.headers["X-GitHub-Delivery"],
        "event": event.id,
        "project": event.kwargs["project_url"],
        "handler": HANDLER,
    }
    assert report["tags"]["project"].endswith(REPOSITORY)
    error = report["exception"]["values"][-1]
    assert error["type"] == "KeyError" and error["value"].startswith("'no such key")
    assert error["stacktrace"]["frames"][-1]["function"] == "a_bug"
    assert "vars" not in error["stacktrace"]["frames"][-1]
    assert logs.CENSORED in error["value"]
    assert "ghs_canary_in_a_message" not in kept.text


def test_the_same_bug_in_many_runs_of_an_event_is_one_report(
    world: World, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PullRequestCoprBuildHandler, "run", a_bug)
    jobs = "".join(
        f"  - {{job: copr_build, trigger: pull_request, targets: [fedora-43], identifier: n{number}}}\n"
        for number in range(MANY)
    )
    opened(world, "specfile_path: hello.spec\njobs:\n" + jobs)
    world.work()
    with world.journal.read() as session:
        from packit_worker.journal.runs import RunRow

        assert session.query(RunRow).filter_by(state="failed").count() == MANY
    assert len(kept.reports) == 1


def test_the_same_bug_in_many_events_is_capped(
    world: World, start: Callable[..., Kept], monkeypatch: pytest.MonkeyPatch
) -> None:
    minute = [0.0]
    kept = start(flood={"most": 2, "clock": lambda: minute[0]})
    monkeypatch.setattr(PullRequestCoprBuildHandler, "run", a_bug)
    opened(world)
    for number in range(3):
        another_is_opened(world, number)
    world.work()
    assert len(world.events()) == 4
    assert len(kept.reports) == 2
    minute[0] = 60.0
    another_is_opened(world, 4)
    world.work()
    assert len(kept.reports) == 3
    assert len({report["tags"]["event"] for report in kept.reports}) == 3


def test_what_is_tried_again_is_reported_when_it_is_given_up(
    make_world: Callable[..., World], kept: Kept
) -> None:
    world = make_world(limits={"max_attempts": 3})
    world.approve()
    world.sandbox.faults.add("copr", path=r"/api_3/", kind="status", status=503, times=None)
    opened(world)
    for attempt in range(1, 4):
        world.work()
        (event,) = world.events()
        assert event.attempts == attempt
        assert len(kept.reports) == (1 if attempt == 3 else 0)
        world.time_passes(minutes=20)
        world.sweep()
    world.work()
    (report,) = kept.reports
    assert report["tags"]["handler"] == HANDLER and report["transaction"] == TASK


def test_what_only_a_user_can_mend_is_never_reported(world: World, kept: Kept) -> None:
    world.sandbox.faults.add("copr", path=r"/api_3/", kind="status", status=400, times=None)
    opened(world)
    opened_with_a_mistake = world.sandbox.github.open_pull_request(
        REPOSITORY, author="alice", files={".packit.yaml": "jobs: 7\n"}, title="Break it"
    )
    world.post(world.opened(opened_with_a_mistake))
    world.work()
    assert {event.state for event in world.events()} <= {"done", "ignored"}
    assert kept.reports == []


def test_tasks_are_timed_where_it_is_configured(world: World, start: Callable[..., Kept]) -> None:
    kept = start(sentry_traces_sample_rate=1.0)
    logs.add_secret("task.parse_message")
    opened(world)
    world.work()
    names = [made["transaction"] for made in kept.items("transaction")]
    assert names.count(TASK) == 1 and "task.show_check" in names
    assert logs.CENSORED in names and "task.parse_message" not in kept.text


def test_bugs_of_the_web_are_reported(world: World, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    from packit_worker.web import metrics

    monkeypatch.setattr(metrics, "generate_latest", a_bug)
    assert world.web.get("/metrics").status_code == 500
    (report,) = kept.reports
    assert report["tags"]["handler"] == "web.metrics.show"
    assert "request" not in report


def test_of_a_long_message_only_the_first_line_is_sent(kept: Kept) -> None:
    sentry.report(RuntimeError("x" * 400 + "\n[parameters: what somebody has sent]"), "test")
    assert kept.reports[0]["exception"]["values"][0]["value"] == "x" * sentry.LONGEST


def test_without_a_dsn_nothing_happens() -> None:
    sentry.setup(from_mapping({}))
    assert not sentry_sdk.is_initialized()
    with sentry.working("task", event="e"):
        sentry.report(RuntimeError("nobody hears it"), "test")


@pytest.mark.parametrize(
    "wrong",
    [{"sentry_dsn": "https://example.org"}, {"sentry_traces_sample_rate": 2}, {"metrics": {"port": 0}}],
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ServiceConfigError, match=next(iter(wrong))):
        from_mapping(wrong)
