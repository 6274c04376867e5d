"""Row 16: what strangers write is shown as they wrote it, and never becomes part of the page."""

from __future__ import annotations

import html
from html.parser import HTMLParser

import pytest
from web.opening import RESULTS, WEBHOOK, Opened, opened

from packit_worker.journal import decisions, deliveries, events
from packit_worker.journal.base import State

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>',
    "'><script>alert(1)</script>",
    "{{ 7 * 7 }}{% raw %}",
    "</title></bdi></main><h1>forged</h1>",
    "javascript:alert(1)",
    "<!-- <a href=javascript:alert(1)>",
    "&lt;script&gt;",
    'x" onmouseover="alert(1)',
]
DECEPTIVE = "\x1b[31mred\x1b[0m \u202egnp.exe \u2066x\u2069 \x00"
TAGS = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "link",
        "body",
        "a",
        "header",
        "nav",
        "main",
        "h1",
        "h2",
        "ol",
        "li",
        "div",
    ),
    *("span", "time", "p", "bdi", "b", "dl", "dt", "dd", "small", "code", "script"),
    *("details", "summary", "figure", "figcaption", "svg", "rect"),
    *(
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "search",
        "form",
        "label",
        "input",
        "select",
        "option",
        "button",
    ),
}


class Page(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.scripts = ""
        self._is_script = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        self._is_script = tag == "script"

    def handle_endtag(self, tag: str) -> None:
        self._is_script = False

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._is_script:
            self.scripts += data


def assert_is_harmless(page: Page) -> None:
    assert page.tags <= TAGS
    assert page.scripts == ""
    for name, value in page.attributes:
        assert not name.startswith("on")
        assert name not in ("style", "srcdoc", "formaction")
        if name in ("href", "src"):
            assert value is not None
            assert value.startswith(("/", "#", "https://", "http://"))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_shown_verbatim(door: Opened, text: str) -> None:
    with door.journal.write() as session:
        deliveries.record(
            session, id=text, source="github", event_type=text, headers={}, body=b"{}", ignored=text
        )
        events.record(session, id="e-1", delivery_id=text, task=text, lane="parse", kwargs={}, subject=text)
        decided = decisions.Decision(step=text[:60], verdict="no", reason=text, next_step=text)
        decisions.record(session, "e-1", 1, [decided])
    first = Page(door.client.get("/").text)
    (address,) = {v for k, v in first.attributes if k == "href" and v and v.startswith("/deliveries/")}
    story = Page(door.client.get(address).text)
    for page in (first, story):
        assert_is_harmless(page)
        assert page.text.count(text) >= 3


def test_links_that_are_none_are_text(door: Opened) -> None:
    from packit_worker.journal.builds import BuildRow

    door.webhook(X_GitHub_Delivery="guid-1")
    bad = "javascript:alert(1)"
    with door.journal.write() as session:
        events.record(
            session,
            id="e-1",
            delivery_id="guid-1",
            task="t",
            lane="parse",
            kwargs={},
            subject="https://a.example/<b>",
        )
        session.flush()
        session.add(
            BuildRow(
                system="copr",
                build_id="1",
                chroot="c",
                event_id="e-1",
                task="t",
                kwargs={},
                project_url="p",
                commit_sha="c",
                job="j",
                owner="o",
                project_name="n",
                web_url=bad,
                looks=0,
            )
        )
    page = Page(door.client.get("/deliveries/guid-1").text)
    assert_is_harmless(page)
    assert bad in page.text
    assert ("href", "https://a.example/<b>") in page.attributes


def test_characters_that_deceive_are_shown_by_their_names(door: Opened) -> None:
    with door.journal.write() as session:
        deliveries.record(
            session, id="d-1", source="github", event_type=None, headers={}, body=b"{}", ignored=DECEPTIVE
        )
    for path in ("/", "/deliveries/d-1"):
        shown = html.unescape(door.client.get(path).text)
        assert "␛[31mred␛[0m ⟨U+202E⟩gnp.exe ⟨U+2066⟩x⟨U+2069⟩ \ufffd" in shown, "the journal keeps no NUL"
        assert not any(char in shown for char in "\x1b\u202e\u2066\x00")


def test_what_errors_repeat_is_harmless_too(door: Opened) -> None:
    for path in ("/<script>alert(1)</script>", "/deliveries/<script>alert(1)</script>", "/?after=<script>"):
        assert_is_harmless(Page(door.client.get(path).text))
    answer = door.webhook(X_GitHub_Event="<script>alert(1)</script>")
    assert answer.mimetype == "application/json"


def test_headers_on_every_route(door: Opened) -> None:
    door.webhook(X_GitHub_Delivery="guid-1")
    seen = set()
    for rule in door.app.url_map.iter_rules():
        path = {"static": "/static/style.css"}.get(rule.endpoint, rule.rule.split("<")[0])
        for known in (path, path + "none"):
            for method in ("GET", "POST", "OPTIONS", "HEAD", "DELETE"):
                seen.add(_assert_headers(door, method, known))
    for body in (b"{}", b"{", b"x" * 2_000_000):
        seen.add(_assert_headers(door, "POST", RESULTS, body))
    seen.add(_assert_headers(door, "GET", "/deliveries/guid-1"))
    _assert_headers(door, "POST", WEBHOOK, b"{}")
    assert {200, 400, 401, 404, 405, 413} <= seen


def _assert_headers(door: Opened, method: str, path: str, body: bytes = b"") -> int:
    answer = door.client.open(path, method=method, data=body)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"]
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
    assert "Set-Cookie" not in answer.headers
    answer.close()
    return int(answer.status_code)


def test_no_promise_of_https_without_https(sqlite_url: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    from packit_worker.journal import Journal

    door = opened(Journal(sqlite_url), tmp_path_factory.mktemp("data"), server_url="http://127.0.0.1:8000")
    assert "Strict-Transport-Security" not in door.client.get("/").headers
    door.journal.dispose()


def test_states_are_words_of_ours(door: Opened) -> None:
    """They become the names of classes in the page."""
    assert all(state.isalpha() for state in State)
