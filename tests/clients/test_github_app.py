"""What only the App itself is told: the webhooks that GitHub has sent to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from packit_worker.clients.github_app import GitHubApp
from packit_worker.clients.http import Http
from packit_worker.errors import NotFound, TemporaryError
from packit_worker.ports import SentWebhooks
from packit_worker.sandbox import Sandbox

from .conftest import TIMEOUT, calls

#: Where nobody listens.
NOWHERE = "http://127.0.0.1:9/"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def app(sandbox: Sandbox) -> SentWebhooks:
    github = sandbox.github
    return GitHubApp(str(github.app_id), github.private_key_pem, Http("GitHub", github.url, timeout=TIMEOUT))


def send(sandbox: Sandbox, count: int) -> list[str]:
    """Send webhooks that nobody takes; their ids, newest first."""
    made = [sandbox.github.webhook("star", "created") for _ in range(count)]
    for delivery in made:
        sandbox.github.deliver(delivery, NOWHERE)
    return [delivery.id for delivery in reversed(made)]


def test_newest_first_page_by_page(sandbox: Sandbox, app: SentWebhooks) -> None:
    sent = send(sandbox, 205)
    found = list(app.deliveries(LONG_AGO))
    assert [one.guid for one in found] == sent
    assert calls(sandbox, "github") == ["GET /app/hook/deliveries"] * 3
    newest = found[0]
    assert (newest.event_type, newest.action, newest.status_code, newest.failed) == (
        "star",
        "created",
        502,
        True,
    )
    assert abs(newest.delivered_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_only_the_calls_that_are_needed(sandbox: Sandbox, app: SentWebhooks) -> None:
    sent = send(sandbox, 105)
    assert [one.guid for one in islice(app.deliveries(LONG_AGO), 50)] == sent[:50]
    assert list(app.deliveries(datetime.now(UTC) + timedelta(hours=1))) == []
    assert len(calls(sandbox, "github")) == 2


def test_sent_again(sandbox: Sandbox, app: SentWebhooks) -> None:
    (guid,) = send(sandbox, 1)
    (attempt,) = app.deliveries(LONG_AGO)
    app.redeliver(attempt.id)
    with pytest.raises(NotFound):
        app.redeliver(1)
    assert attempt.guid == guid
    assert calls(sandbox, "github")[1] == f"POST /app/hook/deliveries/{attempt.id}/attempts"


@pytest.mark.parametrize("answer", ["{}", '[{"id": 1}]', '[{"id": "x", "guid": 1}]', "<html>"])
def test_an_answer_that_nobody_understands(
    answer: str, app: SentWebhooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    import requests

    def answered(*_: object, **__: object) -> requests.Response:
        response = requests.Response()
        response.status_code = 200
        response._content = answer.encode()
        return response

    monkeypatch.setattr(requests.Session, "request", answered)
    if answer == "{}":
        assert list(app.deliveries(LONG_AGO)) == []
    else:
        with pytest.raises(TemporaryError):
            list(app.deliveries(LONG_AGO))
