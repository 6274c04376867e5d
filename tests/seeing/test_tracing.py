"""Traces: what a collector is sent, by the real library and over HTTP, and what happens where there is none."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from stories.world import ONE_BUILD, World

from packit_worker import logs, tracing
from packit_worker.config.service import ServiceConfigError, from_mapping
from packit_worker.config.tracing import TracingConfig
from packit_worker.spans import TIMEOUT

from .collector import Collector, attributes

TOKEN = "the-collector-s-token"
TASK = "task.process_pull_request_GH_event"
NOWHERE = "http://127.0.0.1:9/v1/traces"
TITLE = "a-title-that-is-nobody-s-business"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as made:
        yield made
        tracing.stop()


@pytest.fixture
def traced(make_world: Callable[..., World], collector: Collector) -> World:
    """A world whose process sends traces."""
    world = make_world(tracing={"endpoint": collector.url, "token": TOKEN})
    world.approve()
    tracing.setup(world.settings.tracing, "worker")
    return world


def of(collector: Collector, delivery_id: str) -> list[Span]:
    """The spans of a delivery's trace, after what waits was sent."""
    tracing.stop()
    trace = tracing.trace_of(TracingConfig(endpoint=collector.url), delivery_id)
    return [span for span in collector.spans if span.trace_id.hex() == trace]


def above(spans: list[Span], name: str) -> list[list[str]]:
    """For each span of a name: the names of those above it, from the first span on."""
    by_id = {span.span_id: span for span in spans}
    found = []
    for span in spans:
        if span.name == name:
            names: list[str] = []
            while span.parent_span_id:
                span = by_id[span.parent_span_id]
                names.insert(0, span.name)
            found.append(names)
    return found


def test_one_delivery_is_one_trace(traced: World, collector: Collector) -> None:
    pull = traced.repository(ONE_BUILD)
    delivery = traced.opened(pull)
    traced.post(delivery)
    traced.post(delivery)
    # Nothing of it is in messages: another process, which was woken by the sweeper, goes on in the same trace.
    assert traced.lose_messages() == 1
    traced.time_passes(seconds=4)
    traced.hand_over()
    traced.sweep()
    traced.work()
    traced.finish_builds()
    traced.work()
    spans = of(collector, delivery.id)
    assert len({span.span_id for span in spans}) == len(spans)
    (first,) = [span for span in spans if not span.parent_span_id]
    assert (first.name, first.kind) == ("accept github", Span.SPAN_KIND_SERVER)
    assert attributes(first)["delivery"] == delivery.id
    handler = "PullRequestCoprBuildHandler"
    assert above(spans, "task.parse_message") == [["accept github"]]
    assert above(spans, TASK) == [["accept github"]]
    assert above(spans, handler) == [["accept github", TASK]]
    assert above(spans, "effect copr_build") == [["accept github", TASK, handler]]
    assert ["accept github", TASK, handler, "effect copr_build"] in above(spans, "POST Copr")
    assert ["accept github", TASK] in above(spans, "read from GitHub")
    # The first word, and the last, which came of the news of another delivery.
    shown = above(spans, "write to GitHub")
    assert shown == [["accept github", "task.show_check", "effect check"]] * len(shown)
    assert len(shown) >= 2
    (copr,) = [
        span
        for span in spans
        if span.name == "POST Copr" and attributes(span)["url.path"] == "/api_3/build/create/custom"
    ]
    assert copr.kind == Span.SPAN_KIND_CLIENT
    assert attributes(copr)["http.response.status_code"] == 200
    assert {headers["authorization"] for headers in collector.headers} == {f"Bearer {TOKEN}"}
    (resource,) = {request.resource_spans[0].resource.SerializeToString() for request in collector.requests}
    assert b"packit-worker-worker" in resource


def test_a_trace_holds_no_secrets_and_no_payloads(traced: World, collector: Collector) -> None:
    """Every secret is a canary, and so is what people wrote; the forge puts one into the text of an error."""
    traced.sandbox.github.add_repository("acme/hello", permissions={"alice": "admin"}, installation_id=1001)
    pull = traced.sandbox.github.open_pull_request(
        "acme/hello",
        author="alice",
        title=TITLE,
        files={".packit.yaml": ONE_BUILD + f"# {TITLE}\n", "hello.spec": f"Name: hello\n# {TITLE}\n"},
    )
    traced.sandbox.faults.add("copr", method="POST", path="/build/create", kind="status", status=503, times=1)
    traced.post(traced.opened(pull))
    traced.work()
    traced.time_passes(minutes=5)
    traced.sweep()
    traced.work()
    traced.finish_builds()
    traced.work()
    tracing.stop()
    text = collector.text
    assert "POST Copr" in text
    minted = list(traced.sandbox.github.gate._tokens)
    assert minted
    found = [
        secret
        for secret in (*traced.settings.secrets(), *minted, TITLE)
        if len(secret) >= 8 and secret in text
    ]
    assert found == []


def test_what_fails_says_how_and_not_why(traced: World, collector: Collector) -> None:
    pull = traced.repository(ONE_BUILD)
    traced.sandbox.faults.add("copr", method="POST", path="/build/create", kind="status", status=503, times=1)
    delivery = traced.opened(pull)
    traced.post(delivery)
    traced.work()
    spans = of(collector, delivery.id)
    failed = {span.name: span for span in spans if span.status.code == Status.STATUS_CODE_ERROR}
    assert attributes(failed["POST Copr"])["http.response.status_code"] == 503
    assert attributes(failed["effect copr_build"])["error.type"] == "TemporaryError"
    assert not any(span.status.message or span.events for span in spans)
    (run,) = [span for span in spans if span.name == "PullRequestCoprBuildHandler"]
    assert attributes(run)["ending"] == "retry"


def test_the_trace_is_named_where_people_look(traced: World, collector: Collector) -> None:
    pull = traced.repository(ONE_BUILD)
    delivery = traced.opened(pull)
    traced.post(delivery)
    traced.work()
    (event,) = traced.events()
    trace = tracing.trace_of(traced.settings.tracing, delivery.id)
    assert trace is not None
    assert trace in traced.web.get(f"/deliveries/{delivery.id}").text
    page = traced.web.get(f"/projects/{event.subject.partition('://')[2]}")
    assert (page.status_code, trace in page.text) == (200, True)
    with tracing.delivery(delivery.id, "something"):
        assert logs.current_ids()["trace"] == trace


def test_a_part_of_all_deliveries(collector: Collector) -> None:
    config = TracingConfig(endpoint=collector.url, sample_rate=0.25)
    ids = [f"delivery-{number}" for number in range(2000)]
    chosen = {id for id in ids if tracing.trace_of(config, id)}
    assert 400 < len(chosen) < 600
    assert chosen == {id for id in ids if tracing.trace_of(config, id)}
    tracing.setup(config, "web")
    for id in ids:
        tracing.arrived(id, "accept github", time.time_ns())
        with tracing.delivery(id, "work"), tracing.span("part"):
            pass
    tracing.stop()
    names = {attributes(span)["delivery"] for span in collector.spans if "delivery" in attributes(span)}
    assert names <= chosen
    assert not any(tracing.trace_of(TracingConfig(endpoint=NOWHERE, sample_rate=0), id) for id in ids)


def test_what_belongs_to_no_delivery_is_not_traced(collector: Collector) -> None:
    tracing.setup(TracingConfig(endpoint=collector.url), "sweeper")
    with (
        tracing.span("look"),
        tracing.call("Copr", "GET", "https://copr.example/api_3/build?token=x") as part,
    ):
        part.answered(200)
    with tracing.delivery(None, "work"), tracing.span("look"):
        pass
    tracing.stop()
    assert collector.spans == []


def test_addresses_without_their_queries(collector: Collector) -> None:
    tracing.setup(TracingConfig(endpoint=collector.url), "worker")
    with (
        tracing.delivery("one", "work"),
        tracing.call("Copr", "GET", "https://u:p@copr.example/api?token=x#y"),
    ):
        pass
    (call,) = [span for span in of(collector, "one") if span.name == "GET Copr"]
    assert attributes(call) == {
        "http.request.method": "GET",
        "server.address": "copr.example",
        "url.path": "/api",
    }


def test_a_collector_that_is_away(make_world: Callable[..., World]) -> None:
    """Nothing is lost but traces, and nobody waits for long."""
    world = make_world(tracing={"endpoint": NOWHERE})
    world.approve()
    tracing.setup(world.settings.tracing, "worker")
    pull = world.repository(ONE_BUILD)
    world.post(world.opened(pull))
    world.work()
    world.finish_builds()
    world.work()
    begun = time.monotonic()
    tracing.stop()
    assert time.monotonic() - begun < 2 * TIMEOUT + 3
    assert world.conclusions(pull.head_sha) == {"rpm-build:fedora-43-x86_64": "success"}


def test_a_collector_that_hangs() -> None:
    """What waits is bounded, and whoever works does not wait."""
    with Collector(answers=False) as collector:
        tracing.setup(TracingConfig(endpoint=collector.url), "worker")
        begun = time.monotonic()
        for number in range(10_000):
            tracing.arrived(f"delivery-{number}", "accept github", time.time_ns())
        assert time.monotonic() - begun < 10
        begun = time.monotonic()
        tracing.stop()
        assert time.monotonic() - begun < 2 * TIMEOUT + 3
        assert 0 < len(collector.spans) < 5000


OFF = """
import sys
from packit_worker import startup, tracing
from packit_worker.config.service import from_mapping
settings = from_mapping({{"data_dir": "{folder}", "broker_url": "memory://"}})
tracing.setup(settings.tracing, "worker")
worker = startup.worker(settings)
with tracing.delivery("one", "work"), tracing.span("part") as part:
    part.set(a="b")
worker.shop.services.testing_farm, worker.shop.services.copr, worker.shop.services.github
# The client of Redis looks for OpenTelemetry's metrics by itself, where that is installed.
ours = ("opentelemetry.sdk.trace", "opentelemetry.exporter", "google.protobuf", "packit_worker.spans")
print(tracing.is_on(), [name for name in sys.modules if name.startswith(ours)])
"""

MISSING = """
import sys
sys.modules["opentelemetry"] = None
from packit_worker import tracing
from packit_worker.config.tracing import TracingConfig
tracing.setup(TracingConfig(endpoint="http://127.0.0.1:9/v1/traces"), "worker")
with tracing.delivery("one", "work"), tracing.span("part"):
    print(tracing.is_on())
"""


def test_off_nothing_is_imported(tmp_path: object) -> None:
    result = subprocess.run(
        [sys.executable, "-c", OFF.format(folder=tmp_path)], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "False []"


def test_without_the_library_the_service_goes_on() -> None:
    result = subprocess.run([sys.executable, "-c", MISSING], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
    assert "install packit-worker with its extra tracing" in result.stderr


@pytest.mark.parametrize(
    "wrong", [{"endpoint": "collector:4318"}, {"sample_rate": 2}, {"endpoints": "x"}, {"token": ""}]
)
def test_bad_settings(wrong: dict[str, object]) -> None:
    with pytest.raises(ServiceConfigError, match=f"tracing.{next(iter(wrong))}"):
        from_mapping({"tracing": wrong})


def test_the_token_is_a_secret() -> None:
    settings = from_mapping({"tracing": {"endpoint": NOWHERE, "token": TOKEN}})
    assert TOKEN in settings.secrets() and TOKEN not in repr(settings)
