"""Row 20: what changes anything on the pages asks who it is, takes no other site's word, and is written down."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from cli import written
from web.opening import Opened, opened

from packit_worker.journal import Journal, accounts, operators
from packit_worker.journal.base import State

ALICE, BOB = "a-token-of-alice-that-is-long", "a-token-of-bob-that-is-long-too"
OPERATORS = [{"name": "alice", "token": ALICE}, {"name": "bob", "token": BOB}]
FORM = "application/x-www-form-urlencoded"
HERE = "https://packit.example"
APPROVAL = {"forge": "GitHub.com", "account": "@Acme", "verdict": "approve", "why": "asked"}


@pytest.fixture
def guarded(sqlite_url: str, tmp_path: Path) -> Iterator[Opened]:
    """A door with operators, before a journal with a dead event and a held delivery."""
    journal = Journal(sqlite_url, timeout=5)
    written.deliver(journal, "dead-delivery")
    written.read(journal, "dead-delivery", "dead")
    written.end_event(journal, "dead", State.DEAD, "given up")
    written.deliver(journal, "held", body=b'{"held": true}')
    written.end_delivery(journal, "held", State.HELD, "suspected replay")
    yield opened(journal, tmp_path, operators=OPERATORS)
    journal.dispose()


class Browser:
    """A browser with cookies."""

    def __init__(self, door: Opened) -> None:
        self.client = door.client

    def get(self, path: str) -> Any:
        """Look at a page."""
        return self.client.get(path, base_url=HERE)

    def post(self, path: str, headers: dict[str, str] | None = None, **form: str) -> Any:
        """Send a form as a browser does from one of our pages; ``headers`` over its own."""
        headers = {"Origin": HERE, "Sec-Fetch-Site": "same-origin"} | (headers or {})
        return self.client.post(path, base_url=HERE, data=urlencode(form), headers=headers, content_type=FORM)

    def log_in(self, name: str = "alice", token: str = ALICE) -> Any:
        """Log in."""
        return self.post("/login", name=name, token=token)

    @property
    def form_token(self) -> str:
        """What the forms of this session carry."""
        with self.client.session_transaction(base_url=HERE) as session:
            return str(session["form"])


def state(door: Opened, id: str) -> str:
    """The state of a delivery's event, or of the delivery."""
    from packit_worker.journal import story

    with door.journal.read() as session:
        found = story.of_delivery(session, id)
    assert found is not None
    return found.outcome


def trail(door: Opened) -> list[tuple[str, str, str]]:
    """Who did what about what, oldest first."""
    with door.journal.read() as session:
        return [(row.by, row.action, row.about) for row in operators.actions(session, 100)][::-1]


def untouched(door: Opened) -> bool:
    """Nothing was replayed, approved or told to the broker."""
    with door.journal.read() as session:
        known = accounts.everyone(session)
    return (state(door, "dead-delivery"), state(door, "held"), known, door.broker.sent) == (
        *("dead", "held"),
        [],
        [],
    )


DROP = {"why": "the project is gone"}
CHANGING = {"/replay/dead": {}, "/replay/held": {}, "/drop/dead": DROP, "/allowlist": APPROVAL}


@pytest.mark.parametrize("path", CHANGING)
def test_strangers_change_nothing(guarded: Opened, path: str) -> None:
    stranger = Browser(guarded)
    assert stranger.post(path, **CHANGING[path]).status_code == 401
    assert stranger.post(path, form_token="", **CHANGING[path]).status_code == 401
    forged = {"Cookie": "operator=eyJuYW1lIjoiYWxpY2UifQ.aaaaaa.bbbbbb", "Authorization": f"Bearer {ALICE}"}
    stranger.client = guarded.app.test_client(use_cookies=False)
    assert stranger.post(path, headers=forged, **CHANGING[path]).status_code == 401
    for page in ("/replay/dead", "/drop/dead", "/operators/actions"):
        answer = stranger.get(page)
        assert (answer.status_code, "Log in" in answer.text) == (401, True)
    assert untouched(guarded)
    assert trail(guarded) == []


@pytest.mark.parametrize(
    ("name", "token"),
    [("alice", BOB), ("carol", ALICE), ("alice", ""), ("", ""), ("alice", ALICE[:-1]), ("alice", "ä\ud800")],
)
def test_wrong_names_and_tokens(guarded: Opened, name: str, token: str) -> None:
    stranger = Browser(guarded)
    answer = stranger.client.post(
        "/login", base_url=HERE, data=f"name={name}&token=".encode() + token.encode("utf-8", "surrogatepass"),
        content_type=FORM,
    )  # fmt: skip
    assert answer.status_code in (400, 401)
    assert "Set-Cookie" not in answer.headers
    assert stranger.get("/operators/actions").status_code == 401
    assert trail(guarded) == []


@pytest.mark.parametrize("path", CHANGING)
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": f"{HERE}.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_site_changes_nothing(guarded: Opened, path: str, headers: dict[str, str]) -> None:
    browser = Browser(guarded)
    browser.log_in()
    form = CHANGING[path] | {"form_token": browser.form_token}
    assert browser.post(path, headers=headers, **form).status_code == 403
    assert untouched(guarded)
    assert Browser(guarded).post("/login", headers=headers, name="alice", token=ALICE).status_code == 403


@pytest.mark.parametrize("path", CHANGING)
def test_a_form_needs_the_token_of_its_session(guarded: Opened, path: str) -> None:
    alice, bob = Browser(guarded), Browser(guarded)
    alice.log_in()
    bob.log_in("bob", BOB)
    for token in ({}, {"form_token": ""}, {"form_token": "None"}, {"form_token": bob.form_token}):
        assert alice.post(path, **CHANGING[path], **token).status_code == 403
    assert untouched(guarded)


@pytest.mark.parametrize("path", ["/login", "/logout", "/allowlist", "/replay/dead", "/drop/dead"])
def test_forms_are_small_and_forms(guarded: Opened, path: str) -> None:
    client = guarded.client
    assert client.post(path, base_url=HERE, json={"name": "alice", "token": ALICE}).status_code == 415
    assert client.post(path, base_url=HERE, data={"name": "x" * 20_000}).status_code == 413
    many = "&".join(f"a{number}=1" for number in range(50))
    assert client.post(path, base_url=HERE, data=many, content_type=FORM).status_code == 400


def test_get_changes_nothing(guarded: Opened) -> None:
    browser = Browser(guarded)
    browser.log_in()
    for path in (
        "/replay/dead",
        "/replay/held",
        "/drop/dead?why=x",
        "/allowlist?account=acme&forge=github.com&verdict=approve",
    ):
        assert browser.get(path).status_code == 200
    assert browser.get("/logout").status_code == 405
    for method in ("PUT", "PATCH", "DELETE"):
        assert browser.client.open("/replay/dead", method=method, base_url=HERE).status_code == 405
    assert untouched(guarded)


def test_the_cookie(guarded: Opened) -> None:
    cookie = Browser(guarded).log_in().headers["Set-Cookie"]
    for wanted in ("operator=", "Secure", "HttpOnly", "SameSite=Strict", "Path=/"):
        assert wanted in cookie
    assert ALICE not in cookie


def test_another_token_ends_every_session(guarded: Opened, tmp_path: Path) -> None:
    browser = Browser(guarded)
    cookie = browser.log_in().headers["Set-Cookie"].partition(";")[0]
    for configured, status in ((OPERATORS, 200), (OPERATORS[:1], 401), ([], 401)):
        door = opened(guarded.journal, tmp_path, operators=configured)
        client = door.app.test_client(use_cookies=False)
        answer = client.get("/operators/actions", base_url=HERE, headers={"Cookie": cookie})
        assert answer.status_code == status


def test_an_operator_replays_and_it_is_written_down(guarded: Opened) -> None:
    browser = Browser(guarded)
    assert browser.log_in().headers["Location"] == "/dead"
    assert "/replay/dead" in browser.get("/dead").text
    foretold = browser.get("/replay/dead").text
    assert (
        "process task.process_pull_request_GH_event about https://github.com/acme/hello/pull/7 again"
        in foretold
    )
    answer = browser.post("/replay/dead", form_token=browser.form_token)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/deliveries/dead-delivery")
    answer = browser.post("/replay/held", form_token=browser.form_token)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/deliveries/held")
    assert (state(guarded, "dead-delivery"), state(guarded, "held")) == ("ready", "ready")
    assert [sent["name"] for sent in guarded.broker.sent] == [written.PULL_TASK, "task.parse_message"]
    again = browser.post("/replay/held", form_token=browser.form_token)
    assert (again.status_code, "it is going to be read" in again.text) == (409, True)
    assert browser.post("/replay/none", form_token=browser.form_token).status_code == 409
    assert trail(guarded) == [
        ("alice", "log in", "session"),
        ("alice", "replay", "event dead"),
        ("alice", "replay", "delivery held"),
        ("alice", "replay", "held"),
        ("alice", "replay", "none"),
    ]
    page = browser.get("/operators/actions").text
    assert "opened again; it was dead: given up" in page
    assert "refused: delivery held is ready" in page


def test_an_operator_drops_and_it_is_written_down(guarded: Opened) -> None:
    browser = Browser(guarded)
    browser.log_in()
    assert "/drop/dead" in browser.get("/dead").text
    assert "the work: given up" in browser.get("/drop/dead").text
    for why in ({}, {"why": " "}, {"why": "x" * 301}):
        assert browser.post("/drop/dead", form_token=browser.form_token, **why).status_code == 400
    assert untouched(guarded)
    answer = browser.post("/drop/dead", form_token=browser.form_token, why="gone <away>")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/dead")
    assert "/drop/dead" not in browser.get("/dead").text
    assert "dropped by an operator: gone &lt;away&gt;" in browser.get("/deliveries/dead-delivery").text
    for id in ("dead", "held", "none"):
        assert browser.get(f"/drop/{id}").status_code == 409
        assert browser.post(f"/drop/{id}", form_token=browser.form_token, **DROP).status_code == 409
    assert trail(guarded)[1:] == [
        ("alice", "drop", "event dead"),
        *[("alice", "drop", id) for id in ("dead", "held", "none")],
    ]
    assert "dropped: gone &lt;away&gt;; the work: given up" in browser.get("/operators/actions").text
    assert (state(guarded, "dead-delivery"), guarded.broker.sent) == ("ignored", [])


def test_an_operator_approves_and_denies(guarded: Opened) -> None:
    browser = Browser(guarded)
    browser.log_in("bob", BOB)
    token = browser.form_token
    assert browser.post("/allowlist", form_token=token, **APPROVAL).status_code == 303
    denial = APPROVAL | {"verdict": "deny", "why": "mines <coins>"}
    assert browser.post("/allowlist", form_token=token, **denial).status_code == 303
    with guarded.journal.read() as session:
        changes = accounts.history(session, "github.com", "acme")
    assert [(change.state, change.by, change.why) for change in changes] == [
        ("approved_manually", "bob", "asked"),
        ("denied", "bob", "mines <coins>"),
    ]
    assert trail(guarded)[1:] == [("bob", "approve", "github.com/acme"), ("bob", "deny", "github.com/acme")]
    assert "mines &lt;coins&gt;" in browser.get("/allowlist").text


@pytest.mark.parametrize(
    "wrong",
    [
        {"verdict": "delete"},
        {"forge": "https://github.com"},
        {"forge": ""},
        {"account": ""},
        {"account": "a b"},
        {"account": "a//b"},
        {"account": "x" * 301},
        {"verdict": "deny", "why": " "},
        {"why": "x" * 301},
    ],
)
def test_no_account_that_cannot_be(guarded: Opened, wrong: dict[str, str]) -> None:
    browser = Browser(guarded)
    browser.log_in()
    form = APPROVAL | wrong | {"form_token": browser.form_token}
    assert browser.post("/allowlist", **form).status_code == 400
    assert untouched(guarded)


def test_logging_out(guarded: Opened) -> None:
    browser = Browser(guarded)
    browser.log_in()
    assert browser.post("/logout").status_code == 403
    assert browser.post("/logout", form_token=browser.form_token).status_code == 303
    assert browser.get("/operators/actions").status_code == 401
    assert trail(guarded)[-1] == ("alice", "log out", "session")


def test_without_operators_nobody_can_log_in(guarded: Opened, tmp_path: Path) -> None:
    door = opened(guarded.journal, tmp_path)
    assert "Nobody can log in" in Browser(door).get("/login").text
    assert Browser(door).log_in().status_code == 401
    assert Browser(door).log_in("", "").status_code == 401
