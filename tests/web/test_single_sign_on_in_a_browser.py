"""Logging in with OpenID Connect in a real browser, at a provider that is another site."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from packit_worker.journal import Journal

from .filled import fill
from .provider import Provider
from .serving import Served

TOKENS = [{"name": "carol", "token": "a-token-of-carol-that-is-long"}]


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    """The provider, at localhost."""
    with Provider() as made:
        yield made


@pytest.fixture(scope="module")
def served(
    provider: Provider, empty_journal: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """The pages as they are served, at 127.0.0.1."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "journal.sqlite").write_bytes(empty_journal.read_bytes())
    url = f"sqlite:///{folder / 'journal.sqlite'}"
    journal = Journal(url, timeout=5)
    fill(journal)
    journal.dispose()
    with Served(url, folder, oidc=provider.settings(), operators=TOKENS) as door:
        provider.redirect_uri = f"{door.url}/login/oidc/callback"
        yield door


@pytest.mark.parametrize("has_scripts", [True, False])
def test_an_operator_comes_back_to_the_page(browser: Browser, served: Served, has_scripts: bool) -> None:
    context = browser.new_context(java_script_enabled=has_scripts)
    page = context.new_page()
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    wanted = f"{served.url}/drop/dead-delivery"
    page.goto(wanted)
    _go_through(page, "alice")
    # The next request after the provider's has the Strict cookie.
    page.wait_for_url(wanted)
    assert "Drop delivery" in page.inner_text("h1")
    assert "alice (localhost)" in page.inner_text(".who")
    page.goto(f"{served.url}/operators/actions")
    assert "alice (localhost)" in page.inner_text("tbody tr:first-child")
    (cookie,) = context.cookies(served.url)
    assert (cookie.get("name"), cookie.get("sameSite"), cookie.get("httpOnly")) == (
        "operator",
        "Strict",
        True,
    )
    page.click("text=Log out")
    page.wait_for_selector(".who >> text=Log in")
    assert context.cookies(served.url) == []
    context.close()


def test_somebody_who_is_no_operator(browser: Browser, served: Served) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{served.url}/operators/actions")
    _go_through(page, "bob")
    page.wait_for_selector("text=no operator of this service")
    assert page.inner_text("h1") == "Forbidden"
    assert page.inner_text(".who") == "Log in"
    context.close()


def test_dropping_with_a_token(browser: Browser, served: Served) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{served.url}/login?next=/drop/dead-delivery")
    page.fill("[name=name]", "carol")
    page.fill("[name=token]", TOKENS[0]["token"])
    page.press("[name=token]", "Enter")
    page.wait_for_url(f"{served.url}/drop/dead-delivery")
    page.click("text=Drop it")
    assert page.url.endswith("/drop/dead-delivery"), "the browser asks for the reason"
    page.fill("[name=why]", "the project is gone")
    page.click("text=Drop it")
    page.wait_for_url(f"{served.url}/dead")
    assert "dead-delivery" not in page.inner_html("main")
    context.close()


def _go_through(page: Page, account: str) -> None:
    """From a page that is for operators to the provider, and log in there."""
    page.click("main a:text-is('Log in')")
    page.click("text=Log in with localhost")
    page.click(f"text={account}")
