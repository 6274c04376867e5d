"""Each page before a journal in which a lot has happened."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from cli import written
from sqlalchemy import update

from packit_worker.journal import Journal, overview, pull_requests
from packit_worker.journal.base import now
from packit_worker.journal.deliveries import Delivery
from packit_worker.web.pages.words import project, pull, span, tone

from .filled import HOSTILE, NEW_COMMIT, PROJECT, PULL, fill
from .opening import Opened, patient

PAGES = (
    *(
        "/",
        "/deliveries",
        "/deliveries/pr-delivery",
        "/deliveries/pushed",
        "/deliveries/dead-event",
        "/projects",
    ),
    *(
        "/projects/github.com/acme/hello",
        "/projects/github.com/acme/hello/pull/7",
        "/builds",
        "/builds?system=koji",
    ),
    *("/dead", "/allowlist", "/login"),
)


@pytest.fixture(scope="module")
def full(empty_journal: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """A door before a journal with a lot in it, which nobody changes."""
    folder = tmp_path_factory.mktemp("filled")
    (folder / "journal.sqlite").write_bytes(empty_journal.read_bytes())
    journal = Journal(f"sqlite:///{folder / 'journal.sqlite'}", timeout=5)
    fill(journal)
    yield patient(journal, folder)
    journal.dispose()


def shown(door: Opened, path: str) -> str:
    """The text of a page, as people read it: without tags."""
    answer = door.client.get(path)
    assert answer.status_code == 200, path
    text = html.unescape(re.sub(r"<(script|style).*?</\1>|<[^>]*>", " ", answer.text, flags=re.DOTALL))
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("path", PAGES)
def test_texts_of_strangers_are_texts(full: Opened, path: str) -> None:
    page = full.client.get(path).text
    assert "<img" not in page
    assert "\u202e" not in page
    assert 'href="javascript' not in page
    assert page.count("<script") == page.count('<script src="/static/')


def test_overview(full: Opened) -> None:
    text = shown(full, "/")
    assert "Dead letters 3" in text
    assert "Given up, last 24 h 3" in text
    # the one delivery that nobody has read
    assert re.search(r"parse \d+\.\d\d s 1 0 0 1", text)
    assert re.search(r"9 in the last 24 hours, 9 in the busiest and 9 in the last", text)
    assert re.search(r"first check, median \d\.\d\d s 95 % within \d\.\d\d s, of 1 in 24 h", text)
    for source in ("github", "testing-farm", "fedora-messaging"):
        assert f"{source} 20" in text
    limits = text[text.index("Rate limits") : text.index("Latest deliveries")]
    rows = ("copr.example – nothing until", "github.com 8 12 of 15000", "github.com 7 4000 of 5000")
    places = [limits.index(row) for row in (*rows, "gitlab.example – all of 2000 –")]
    assert places == sorted(places)


def test_overview_counts_the_hours(journal: Journal) -> None:
    at = datetime.now(UTC)
    for id, hours in (("new", 0.1), ("old", 3.5), ("older", 3.6), ("at the end", 23.9), ("too old", 24.1)):
        written.deliver(journal, id)
        with journal.write() as session:
            moved = update(Delivery).where(Delivery.id == id).values(received_at=at - timedelta(hours=hours))
            session.execute(moved)
    with journal.read() as session:
        counted = overview.per_hour(session, at)
        assert overview.latency(session, at) is None
        assert [source.name for source in overview.sources(session, at)] == ["github"]
    assert {23 - hour: count for hour, count in enumerate(counted) if count} == {0: 1, 3: 2, 23: 1}


def test_overview_on_every_database(journal: Journal) -> None:
    fill(journal)
    with journal.read() as session:
        at = now()
        found = overview.latency(session, at)
        assert found is not None
        assert (found.measured, 0 <= found.p50 <= found.p95 < 60) == (1, True)
        assert overview.failures(session, at) == 3
        assert [type(row).__name__ for row in overview.dead(session, 2)] == ["Delivery", "EventRow"]
        pull_request = pull_requests.of_project(session, PROJECT, 7)
    assert pull_request is not None
    assert [push.commit_sha for push in pull_request.pushes] == [NEW_COMMIT, written.COMMIT]


def test_deliveries_are_filtered(full: Opened) -> None:
    text = shown(full, "/deliveries?outcome=dead")
    assert ("dead-event" in text, "dead-delivery" in text, "pr-delivery" in text) == (True, True, False)
    text = shown(full, "/deliveries?source=testing-farm")
    assert ("-tests-delivery" in text, "pr-delivery" in text) == (True, False)
    text = shown(full, f"/deliveries?about={quote(PULL)}/files")
    assert ("pushed" in text, "dead-event" in text) == (True, False)
    assert "Nothing fits" in shown(full, "/deliveries?source=nobody")


def test_a_search_leads_to_the_story(full: Opened) -> None:
    for asked, found in (
        ("pushed-event", "/deliveries/pushed"),
        ("held/delivery", "/deliveries/held/delivery"),
        ("github.com/acme/hello/pull/8/files", "/deliveries/dead-event"),
    ):
        answer = full.client.get("/deliveries", query_string={"q": asked})
        assert (answer.status_code, answer.headers["Location"]) == (303, found)
    text = shown(full, f"/deliveries?q={quote(PULL)}")
    assert text.index("pushed") < text.index("pr-delivery")
    assert "Nothing fits" in shown(full, "/deliveries?q=none")


def test_a_story_has_times_reasons_and_links(full: Opened) -> None:
    page = full.client.get("/deliveries/pr-delivery").text
    for address in (
        "/projects/github.com/acme/hello",
        "/projects/github.com/acme/hello/pull/7",
        PULL,
        "https://copr.example/build/100",
        "https://copr.example/log",
    ):
        assert f'href="{address}"' in page
    text = shown(full, "/deliveries/pr-delivery")
    assert re.search(r"\+0\.\d\d s decision allowlist: approved the account acme is approved", text)


def test_a_pull_request_push_by_push(full: Opened) -> None:
    page = full.client.get("/projects/github.com/acme/hello/pull/7").text
    newest, before = page.split("Commits before it")
    assert NEW_COMMIT[:12] in newest
    assert ("build/101" in newest, "build/100" in newest) == (True, False)
    assert ("build/101" in before, "build/100" in before) == (False, True)
    assert '<details class="push" id="push-1">' in before
    for address in (f"{PROJECT}/runs/500", "https://copr.example/log", "https://farm.example/1"):
        assert f'href="{address}"' in before
    assert '<span class="state bad">failure</span>' in newest


@pytest.mark.parametrize(
    "path",
    [
        "/projects/github.com/acme/none",
        "/projects/github.com/acme/hello/pull/99",
        f"/projects/github.com/acme/hello/pull/{10**30}",
        f"/projects/{quote(HOSTILE, safe='')}/a/b",
    ],
)
def test_nothing_is_known_of_it(full: Opened, path: str) -> None:
    assert full.client.get(path).status_code == 404


def test_projects(full: Opened) -> None:
    assert f"{PROJECT} 2 0 0 0" in shown(full, "/projects?below=https://github.com/acme")
    assert "No project is known there" in shown(full, "/projects?below=https://github.com/acm")
    text = shown(full, "/projects/github.com/acme/hello")
    assert text.index("#8") < text.index("#7")
    assert "1 × failure" in text


def test_builds(full: Opened) -> None:
    page = full.client.get("/builds").text
    assert page.index("build/101") < page.index("build/100")
    assert "koji" not in page.split("<main")[1].split("</nav>")[1]
    assert "build 77" in shown(full, "/builds?system=koji")


def test_dead_letters(full: Opened) -> None:
    text = shown(full, "/dead")
    given_up, held = text.split(" Held ")
    assert "rpm-build:fedora-44-x86_64" in given_up
    assert "GitHub says no" in given_up
    assert "suspected replay" in held
    assert "Replay…" not in text


def test_allowlist_tells_strangers_no_reasons(full: Opened) -> None:
    text = shown(full, "/allowlist")
    assert "github.com/acme-denied denied" in text
    assert "carol" not in text
    assert "acme-denied" not in shown(full, "/allowlist?state=waiting")


ODD = (
    "page=-1&state=x&system=y",
    "page=99999999999999999999",
    "after=x&about=%00%ED%A0%80",
    "q=%00",
    "below=%00%25",
)


def test_odd_questions_are_answered(journal: Journal, tmp_path: Path) -> None:
    client = patient(journal, tmp_path).client
    for path in ("/", "/deliveries", "/projects", "/builds", "/dead", "/allowlist"):
        for query in ODD:
            assert client.get(f"{path}?{query}").status_code == 200, (path, query)
    for path in ("/projects/%00/%00", "/projects/a/b/pull/1", "/deliveries/%00", "/events/%00"):
        assert client.get(path).status_code == 404


def test_words(full: Opened) -> None:
    with full.app.test_request_context():
        assert pull("https://pagure.io/a/pull-request/3") == "/projects/pagure.io/a/pull/3"
        assert pull("https://gitlab.com/a/b/c/-/merge_requests/3") == "/projects/gitlab.com/a/b/c/pull/3"
        assert (pull("https://github.com/acme/hello"), pull("javascript:/a/pull/1"), pull(None)) == (
            None,
            None,
            None,
        )
        assert project("https://pagure.io/hello") == "/projects/pagure.io/hello"
        assert (project("https://pagure.io"), project("x")) == (None, None)
    assert [span(seconds) for seconds in (0.5, 42, 200, 7300, 200_000)] == [
        *("0.50 s", "42 s", "3 min 20 s", "2 h 01 min", "2 d 07 h")
    ]
    assert [tone(word) for word in ("success", "dead", "waiting", "anything", None)] == [
        *("good", "bad", "wait", "soft", "soft")
    ]
