"""The table of parsers."""

from __future__ import annotations

import celery
import pytest

from events.testing_farm import TestingFarmResultEvent
from parsers.registry import ANY, Kind, kind_of_message, parser_for, parses, registered, sources
from parsers.sending import Sending, held, send


def test_sources():
    assert sources() == ("centosmsg", "fedora-messaging", "github", "gitlab", "pagure", "testing-farm")
    assert ("testing-farm", ANY) in registered()


@pytest.mark.parametrize(
    ("source", "event_type", "kind"),
    [
        ("github", "push", Kind(name="push")),
        ("github", None, Kind(name="")),
        ("github", ["push"], Kind(name="")),
        ("pagure", "git.receive", Kind(name="git.receive")),
        ("centosmsg", "git.centos.org/git.receive", Kind(name="git.receive", origin="git.centos.org")),
        ("centosmsg", "git.receive", None),
        (
            "fedora-messaging",
            "io.pagure.prod.pagure.git.receive",
            Kind(name="pagure.git.receive", origin="io.pagure.prod"),
        ),
        ("fedora-messaging", "pagure.git.receive", None),
        ("fedora-messaging", None, None),
    ],
)
def test_kind_of_message(source, event_type, kind):
    assert kind_of_message(source, event_type) == kind


def test_parser_for():
    assert parser_for("github", "push") is registered()["github", "push"]
    assert parser_for("testing-farm", "whatever") is registered()["testing-farm", ANY]
    assert parser_for("github", ANY) is None
    assert parser_for({}, []) is None


def test_two_parsers_for_one_kind():
    with pytest.raises(TypeError, match="two parsers for github push"):
        parses("github", "push")(lambda payload: None)


def test_what_is_not_held_is_published():
    published = []

    class Recorder(celery.Celery):
        def send_task(self, name, args=None, kwargs=None, **options):
            published.append((name, args, kwargs, options))

    with held() as sendings:
        send(TestingFarmResultEvent, pipeline_id="1")
    assert published == []
    (sending,) = sendings
    assert isinstance(sending, Sending)
    before = celery.current_app._get_current_object()
    Recorder(set_as_current=True)
    try:
        sending.publish(task_id="event-1")
        send(TestingFarmResultEvent, pipeline_id="2")
    finally:
        before.set_current()
    assert [(name, args, kwargs["pipeline_id"]) for name, args, kwargs, _ in published] == [
        ("task.process_testing_farm_result_event", None, "1"),
        ("task.process_testing_farm_result_event", None, "2"),
    ]
    assert published[0][3] == {"queue": "short-running", "task_id": "event-1"}
