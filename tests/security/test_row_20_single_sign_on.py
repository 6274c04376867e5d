"""Row 20: whoever comes back from the provider is who it says, and an operator only if the configuration says so."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from web.opening import Opened, opened
from web.provider import CLIENT_ID, CLIENT_SECRET, Provider

from packit_worker.journal import Journal, operators

HERE = "https://packit.example"
CALLBACK = "/login/oidc/callback"
TOKENS = [{"name": "alice", "token": "a-token-of-alice-that-is-long"}]


@pytest.fixture(autouse=True)
def heard(caplog: pytest.LogCaptureFixture) -> None:
    """What is logged is heard, whatever level tests before these have left."""
    caplog.set_level(logging.INFO)


@pytest.fixture
def provider() -> Iterator[Provider]:
    """The provider, with alice who is in the group and bob who is not."""
    with Provider(redirect_uri=HERE + CALLBACK) as made:
        yield made


@pytest.fixture
def door(sqlite_url: str, tmp_path: Path, provider: Provider) -> Iterator[Opened]:
    """A door whose operators log in there."""
    journal = Journal(sqlite_url, timeout=5)
    yield opened(journal, tmp_path, oidc=provider.settings())
    journal.dispose()


class Browser:
    """A browser with cookies, that goes to the provider and back."""

    def __init__(self, door: Opened) -> None:
        self.client = door.client

    def get(self, path: str, **more: Any) -> Any:
        """Look at a page."""
        return self.client.get(path, base_url=HERE, **more)

    def begin(self, next: str = "") -> str:
        """Begin a login; returns the address at the provider."""
        answer = self.get("/login/oidc?" + urlencode({"next": next}))
        assert answer.status_code == 303, answer.text
        url: str = answer.headers["Location"]
        return url

    def way_back(self, account: str = "alice", next: str = "") -> str:
        """Log in at the provider; returns the path that it leads back to."""
        answer = requests.get(f"{self.begin(next)}&account={account}", allow_redirects=False, timeout=10)
        assert answer.status_code == 302, answer.text
        url = answer.headers["Location"]
        assert url.startswith(HERE + CALLBACK)
        return url.removeprefix(HERE)

    def log_in(self, account: str = "alice", next: str = "") -> Any:
        """Log in at the provider and come back."""
        return self.get(self.way_back(account, next))

    @property
    def is_in(self) -> bool:
        """Whether this is an operator's session."""
        return bool(self.get("/operators/actions").status_code == 200)

    def refuses(self, answer: Any, status: int) -> bool:
        """Whether an answer says so, and nobody is logged in."""
        cookies = answer.headers.getlist("Set-Cookie")
        return answer.status_code == status and not self.is_in and not any("operator=" in c for c in cookies)


def trail(door: Opened) -> list[tuple[str, str, str]]:
    """Who did what, and its outcome, oldest first."""
    with door.journal.read() as session:
        return [(row.by, row.action, row.outcome) for row in operators.actions(session, 100)][::-1]


def test_an_operator_logs_in_and_out(door: Opened, caplog: pytest.LogCaptureFixture) -> None:
    browser = Browser(door)
    page = browser.get("/login").text
    assert "Log in with" in page and "localhost" in page and "Token" not in page
    answer = browser.log_in()
    assert answer.status_code == 200
    assert 'http-equiv="refresh" content="0; url=/dead"' in answer.text
    assert browser.is_in
    assert trail(door) == [("alice (localhost)", "log in", "done")]
    assert "alice (localhost), account account-of-alice, has logged in" in caplog.text
    with browser.client.session_transaction(base_url=HERE) as session:
        form = {"form_token": session["form"]}
    assert browser.client.post("/logout", base_url=HERE, data=form).status_code == 303
    assert not browser.is_in
    assert trail(door)[-1] == ("alice (localhost)", "log out", "done")
    assert CLIENT_SECRET not in caplog.text


def test_what_is_asked_of_the_provider(door: Opened) -> None:
    first, second = (parse_qs(urlsplit(Browser(door).begin()).query) for _ in range(2))
    assert first["redirect_uri"] == [HERE + CALLBACK]
    assert (first["scope"], first["code_challenge_method"]) == (["openid profile"], ["S256"])
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name][0]) >= 20 and first[name] != second[name]


def test_the_cookies(door: Opened) -> None:
    browser = Browser(door)
    kept = browser.get("/login/oidc").headers["Set-Cookie"]
    for wanted in ("login=", "Secure", "HttpOnly", "SameSite=Lax", "Path=/login/oidc", "Max-Age=600"):
        assert wanted in kept
    cookies = browser.log_in().headers.getlist("Set-Cookie")
    (session,) = [cookie for cookie in cookies if cookie.startswith("operator=")]
    for wanted in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/"):
        assert wanted in session
    assert any(cookie.startswith("login=;") for cookie in cookies), "what belonged to the login is gone"


def test_who_is_no_operator(door: Opened, caplog: pytest.LogCaptureFixture) -> None:
    browser = Browser(door)
    answer = browser.log_in("bob")
    assert browser.refuses(answer, 403)
    assert "no operator of this service" in answer.text
    assert trail(door) == [("bob (localhost)", "log in", "refused: no operator")]
    assert "bob (localhost), account account-of-bob, has logged in and is no operator" in caplog.text


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        ({"groups": [], "people": ["bob"]}, 200),
        ({"groups": ["packit"], "people": ["bob"]}, 200),
        ({"groups": ["others"]}, 200),
        ({"groups": ["other"]}, 403),
        ({"groups": [], "people": ["alice"]}, 403),
        ({"people": ["bob"], "name_claim": "sub"}, 403),
        ({"people": ["account-of-bob"], "name_claim": "sub"}, 200),
        ({"groups_claim": "roles"}, 403),
    ],
)
def test_whom_the_configuration_names(
    door: Opened, tmp_path: Path, provider: Provider, settings: dict[str, Any], status: int
) -> None:
    other = opened(door.journal, tmp_path, oidc=provider.settings(**settings))
    assert Browser(other).log_in("bob").status_code == status


def test_names_and_groups_from_the_user_info(door: Opened, tmp_path: Path, provider: Provider) -> None:
    provider.tells_in_info = True
    browser = Browser(door)
    assert browser.log_in().status_code == 200 and browser.is_in
    assert Browser(door).log_in("bob").status_code == 403
    provider.info = {"sub": "account-of-bob"}
    other = Browser(door)
    assert other.refuses(other.log_in(), 401), "the info of another account"
    provider.description, provider.info = {"userinfo_endpoint": None}, {}
    silent = Browser(opened(door.journal, tmp_path, oidc=provider.settings()))
    assert silent.refuses(silent.log_in(), 401), "nobody tells the name"


@pytest.mark.parametrize(
    "groups", [None, "packit", {"packit": True}, [["packit"]], ["/packit"], ["PACKIT"], [None], 7]
)
def test_groups_that_are_none(door: Opened, provider: Provider, groups: Any) -> None:
    provider.claims = {"groups": groups}
    provider.info = {"groups": groups}
    browser = Browser(door)
    assert browser.refuses(browser.log_in(), 403)


@pytest.mark.parametrize("name", [None, "", 7, ["alice"], "x" * 101, "alice\n", "alice\u202e", "al\0ice"])
def test_names_that_are_none(door: Opened, provider: Provider, name: Any) -> None:
    provider.claims = {"preferred_username": name}
    provider.info = {"preferred_username": name}
    browser = Browser(door)
    assert browser.refuses(browser.log_in(), 401)
    assert trail(door) == []


NOW = int(time.time())


@pytest.mark.parametrize(
    "lie",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": ["another-client"]},
        {"aud": "another-client", "azp": CLIENT_ID},
        {"aud": [CLIENT_ID, "another-client"]},
        {"aud": [CLIENT_ID, "another-client"], "azp": "another-client"},
        {"aud": None},
        {"exp": NOW - 3600},
        {"exp": None},
        {"exp": "later"},
        {"iat": NOW + 3600},
        {"nbf": NOW + 3600},
        {"iss": "https://evil.example"},
        {"iss": "http://localhost/openidc/"},
        {"iss": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"azp": "another-client"},
        {"at_hash": "of-another-token"},
    ],
    ids=str,
)
def test_claims_that_are_not_for_this_login(door: Opened, provider: Provider, lie: dict[str, Any]) -> None:
    provider.claims = lie
    browser = Browser(door)
    answer = browser.log_in()
    assert browser.refuses(answer, 401)
    assert "cannot be verified" in answer.text
    assert trail(door) == []


@pytest.mark.parametrize("signer", ["stranger", "none", "public"])
def test_signatures_of_others(
    door: Opened, provider: Provider, signer: str, caplog: pytest.LogCaptureFixture
) -> None:
    provider.signer = signer
    browser = Browser(door)
    assert browser.refuses(browser.log_in(), 401)
    assert trail(door) == []
    assert "eyJ" not in caplog.text, "no token is logged"
    provider.signer = "own"
    assert browser.log_in().status_code == 200


def test_the_key_has_changed(door: Opened, provider: Provider) -> None:
    assert Browser(door).log_in().status_code == 200
    provider.new_key()
    assert Browser(door).log_in().status_code == 200
    assert provider.asked.count("keys") == 2
    assert provider.asked.count("openid-configuration") == 1, "it is described once"


def test_a_state_of_somebody_else(door: Opened, provider: Provider) -> None:
    alice, mallory = Browser(door), Browser(door)
    # what mallory has begun shall not end in alice's browser, nor the other way round
    of_mallory = mallory.way_back("bob")
    assert alice.refuses(alice.get(of_mallory), 400)
    alice.begin()
    assert alice.refuses(alice.get(of_mallory), 400)
    of_alice = alice.way_back()
    assert mallory.refuses(mallory.get(of_alice), 400)
    path, _, query = of_alice.partition("?")
    answer = {name: values[0] for name, values in parse_qs(query).items()}
    for state in ("", "x" * 30, answer["state"] + "x", "ä\ud800"):
        forged = urlencode(answer | {"state": state}, errors="surrogatepass")
        assert alice.refuses(alice.get(f"{path}?{forged}"), 400)
    assert "token" not in provider.asked, "the provider was not asked"
    assert alice.get(of_alice).status_code == 200, "a wrong answer does not end a login under way"


@pytest.mark.parametrize(
    "cookie", ["", "x", "state=&nonce=&code_verifier=&next=", "state=a&nonce=b&code_verifier=c", "a=1&" * 50]
)
def test_cookies_that_are_none(door: Opened, cookie: str) -> None:
    client = door.app.test_client(use_cookies=False)
    for state in ("", "a"):
        answer = client.get(f"{CALLBACK}?code=x&state={state}", headers={"Cookie": f"login={cookie}"})
        assert answer.status_code == 400


def test_a_code_is_good_once(door: Opened) -> None:
    browser = Browser(door)
    path = browser.way_back()
    kept = browser.client.get_cookie("login", "packit.example", "/login/oidc")
    assert kept is not None
    assert browser.get(path).status_code == 200
    assert Browser(door).get(path).status_code == 400
    assert browser.get(path).status_code == 400, "the browser does not know of it any more"
    # whoever has the cookie as well
    thief = Browser(door)
    thief.client.set_cookie("login", kept.value, domain="packit.example", path="/login/oidc", secure=True)
    answer = thief.get(path)
    assert thief.refuses(answer, 401)
    assert "invalid_grant" in answer.text


def test_a_code_of_another_login(door: Opened) -> None:
    mallory, alice = Browser(door), Browser(door)
    code = parse_qs(urlsplit(mallory.way_back("bob")).query)["code"][0]
    path, _, query = alice.way_back().partition("?")
    answer = {name: values[0] for name, values in parse_qs(query).items()} | {"code": code}
    assert alice.refuses(alice.get(f"{path}?{urlencode(answer)}"), 401), "PKCE tells that it is another's"


def test_an_answer_of_another_issuer(door: Opened, provider: Provider) -> None:
    browser = Browser(door)
    path = browser.way_back()
    wrong = path.replace(urlencode({"iss": provider.issuer}), "iss=https%3A%2F%2Fevil.example")
    assert wrong != path
    assert browser.refuses(browser.get(wrong), 401)
    assert "token" not in provider.asked


def test_somebody_who_does_not_want_to(door: Opened) -> None:
    browser = Browser(door)
    answer = browser.log_in("nobody")
    assert browser.refuses(answer, 401)
    assert "localhost says: access_denied" in answer.text


@pytest.mark.parametrize(
    ("next", "leads_to"),
    [
        ("/replay/dead", "/replay/dead"),
        ("/deliveries?about=x&q=", "/deliveries?about=x&amp;q="),
        ("https://evil.example", "/dead"),
        ("//evil.example", "/dead"),
        ("/\\evil.example", "/dead"),
        ("\\\\evil.example", "/dead"),
        ("/\t/evil.example", "/dead"),
        (" //evil.example", "/dead"),
        ("/\n/evil.example", "/dead"),
        ("javascript:alert(1)", "/dead"),
        ("evil.example", "/dead"),
        ("/" + "x" * 600, "/dead"),
        ("/ä", "/dead"),
    ],
)
def test_where_a_login_leads_to(
    door: Opened, tmp_path: Path, provider: Provider, next: str, leads_to: str
) -> None:
    both = opened(door.journal, tmp_path, oidc=provider.settings(), operators=TOKENS)
    assert f'content="0; url={leads_to}"' in Browser(both).log_in(next=next).text
    assert f'name="next" value="{leads_to}"' in Browser(both).get("/login?" + urlencode({"next": next})).text
    form = {**TOKENS[0], "next": next}
    answer = Browser(both).client.post("/login", base_url=HERE, data=form)
    assert answer.headers["Location"] == leads_to.replace("&amp;", "&")


@pytest.mark.parametrize(
    "description",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"token_endpoint": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": "file:///etc/passwd"},
        {"id_token_signing_alg_values_supported": ["none", "HS256"]},
        {"id_token_signing_alg_values_supported": 7},
    ],
    ids=str,
)
def test_a_provider_that_cannot_be_used(
    door: Opened, provider: Provider, description: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    provider.description = description
    assert Browser(door).get("/login/oidc").status_code == 503
    assert "the provider of OpenID Connect cannot be used" in caplog.text
    provider.description = {}
    assert Browser(door).log_in().status_code == 200


def test_the_provider_is_away(door: Opened, tmp_path: Path, provider: Provider) -> None:
    both = opened(door.journal, tmp_path, oidc=provider.settings(), operators=TOKENS)
    browser = Browser(both)
    path = browser.way_back()
    provider.broken = 500
    answers = [browser.get(path), Browser(door).get("/login/oidc")]
    path = "/login/oidc"
    provider.stop()
    fresh = opened(door.journal, tmp_path, oidc=provider.settings(), operators=TOKENS)
    answers.append(Browser(fresh).get("/login/oidc"))
    for answer in answers:
        assert (answer.status_code, "localhost does not answer" in answer.text) == (503, True)
        assert int(answer.headers["Retry-After"]) > 0
    assert "log in with a token" in answers[-1].text and "with a token" not in answers[1].text
    assert Browser(fresh).client.post("/login", base_url=HERE, data=TOKENS[0]).status_code == 303


def test_a_secret_that_the_provider_does_not_know(
    door: Opened, tmp_path: Path, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    other = opened(door.journal, tmp_path, oidc=provider.settings(client_secret="another"))
    browser = Browser(other)
    assert browser.refuses(browser.log_in(), 503)
    assert "does not take oidc.client_id and oidc.client_secret" in caplog.text


def test_what_is_changed_in_the_configuration_ends_sessions(
    door: Opened, tmp_path: Path, provider: Provider
) -> None:
    browser = Browser(door)
    browser.log_in()
    cookie = browser.client.get_cookie("operator", "packit.example")
    assert cookie is not None
    for settings, status in (
        (provider.settings(), 200),
        (provider.settings(groups=["others"]), 401),
        (provider.settings(client_secret="another"), 401),
        ({}, 401),
    ):
        client = opened(door.journal, tmp_path, oidc=settings).app.test_client(use_cookies=False)
        headers = {"Cookie": f"operator={cookie.value}"}
        assert client.get("/operators/actions", base_url=HERE, headers=headers).status_code == status


def test_the_login_page_offers_what_there_is(door: Opened, tmp_path: Path, provider: Provider) -> None:
    both = opened(door.journal, tmp_path, oidc=provider.settings(), operators=TOKENS)
    page = Browser(both).get("/login?next=/builds").text
    assert "/login/oidc?next=/builds" in page and 'name="token"' in page
    neither = opened(door.journal, tmp_path)
    page = Browser(neither).get("/login").text
    assert "<code>operators</code>" in page and "<code>oidc</code>" in page
    assert "Log in with" not in page
    for path in ("/login/oidc", CALLBACK):
        assert Browser(neither).get(path).status_code == 404
    asked = Browser(both).get("/replay/dead?x=1")
    assert (asked.status_code, "/login?next=/replay/dead?x%3D1" in asked.text) == (401, True)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_begins_no_login(door: Opened, provider: Provider, site: str) -> None:
    for _ in range(20):
        answer = Browser(door).get("/login/oidc", headers={"Sec-Fetch-Site": site})
        assert (answer.status_code, answer.headers.get("Set-Cookie")) == (403, None)
    assert provider.asked == []
    assert Browser(door).log_in().status_code == 200, "nor does it use up attempts"


def test_nothing_but_get(door: Opened) -> None:
    for path in ("/login/oidc", CALLBACK):
        for method in ("POST", "PUT", "DELETE"):
            assert door.client.open(path, method=method, base_url=HERE).status_code == 405
