"""The pages: what they show, how they turn, and what becomes of errors."""

from __future__ import annotations

import pytest

from packit_worker.journal import events
from packit_worker.web.pages.routes import SHOWN
from packit_worker.web.pages.words import link, visible

from .opening import Opened


def test_nothing_yet(door: Opened) -> None:
    answer = door.client.get("/")
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert "Nothing has come in yet" in answer.text


def test_the_latest_deliveries_with_state_and_reason(door: Opened) -> None:
    door.webhook(X_GitHub_Delivery="guid-1")
    door.webhook(X_GitHub_Delivery="guid-2", X_GitHub_Event="star")
    text = door.client.get("/").text
    assert text.index("/deliveries/guid-2") < text.index("/deliveries/guid-1")
    assert "star from github is not something to act on" in text
    assert 'class="state soft">ignored' in text


def test_pages_are_turned(door: Opened) -> None:
    for number in range(SHOWN + 1):
        door.webhook(b'{"n": %d}' % number, X_GitHub_Delivery=f"guid-{number:03}")
    first = door.client.get("/deliveries").text
    assert "/deliveries/guid-001" in first
    assert "/deliveries/guid-000" not in first
    assert '"/deliveries?after=guid-001"' in first
    second = door.client.get("/deliveries?after=guid-001").text
    assert "/deliveries/guid-000" in second
    assert "after=" not in second


def test_the_story_of_a_delivery(door: Opened) -> None:
    door.webhook(X_GitHub_Delivery="guid-1", X_GitHub_Event="star")
    answer = door.client.get("/deliveries/guid-1")
    assert answer.status_code == 200
    assert "star from github is not something to act on" in answer.text


def test_an_event_leads_to_its_delivery(door: Opened) -> None:
    door.webhook(X_GitHub_Delivery="guid/1")
    with door.journal.write() as session:
        events.record(
            session, id="event-1", delivery_id="guid/1", task="task.x", lane="parse", kwargs={}, subject="a"
        )
    answer = door.client.get("/events/event-1")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/deliveries/guid/1")
    assert "task.x" in door.client.get(answer.headers["Location"]).text


@pytest.mark.parametrize(
    "path", ["/deliveries/none", "/events/none", "/none", "/deliveries/", "/static/none"]
)
def test_unknown_pages(door: Opened, path: str) -> None:
    answer = door.client.get(path)
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "<h1>Not Found</h1>" in answer.text


def test_errors_of_the_api_are_json(door: Opened) -> None:
    answer = door.client.get("/api/none")
    assert (answer.status_code, answer.mimetype, answer.json["error"]) == (
        404,
        "application/json",
        "Not Found",
    )


def test_a_bug_is_answered_with_nothing_about_it(door: Opened, caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> str:
        raise RuntimeError("the inside of the service")

    door.app.add_url_rule("/api/broken", view_func=broken)
    door.app.add_url_rule("/broken", endpoint="page", view_func=broken)
    for path, kind in (("/api/broken", "application/json"), ("/broken", "text/html")):
        answer = door.client.get(path)
        assert (answer.status_code, answer.mimetype) == (500, kind)
        assert "inside" not in answer.text
    assert "the inside of the service" in caplog.text


@pytest.mark.parametrize(
    ("url", "is_link"),
    [
        ("https://example.com/a?b=c#d", True),
        ("http://127.0.0.1:8000/", True),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)", False),
        ("java\nscript:alert(1)", False),
        ("https:example.com", False),
        ("//example.com/", False),
        ("data:text/html,x", False),
        ("https://[", False),
        ("https://example.com/\u202egpj", False),
        ("", False),
        (None, False),
        (7, False),
    ],
)
def test_only_web_pages_are_links(url: object, is_link: bool) -> None:
    assert link(url) == (url if is_link else None)


def test_text_that_would_deceive_is_shown_by_its_numbers() -> None:
    assert visible("a\x1b[31mb\u202ec\u2066d\x00e\tf\n") == "a␛[31mb⟨U+202E⟩c⟨U+2066⟩d␀e\tf\n"
