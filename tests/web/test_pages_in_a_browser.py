"""The pages in a real browser: on a phone and on a desk, light and dark, before a journal full of hostile texts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli import written
from playwright.sync_api import Browser, BrowserContext, Page

from packit_worker.journal import Journal

from .filled import fill
from .serving import Served
from .test_pages_filled import PAGES

TOKEN = "a-token-of-alice-that-is-long"
FOR_OPERATORS = ("/operators/actions", "/replay/dead", "/drop/dead", "/allowlist", "/dead")
SIZES = {"phone": (360, 740), "desk": (1280, 900)}
#: Where pictures of all pages are put, if anywhere.
PICTURES = os.environ.get("PAGES_PICTURES")


@pytest.fixture(scope="module")
def served(empty_journal: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The pages as they are served, with an operator."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "journal.sqlite").write_bytes(empty_journal.read_bytes())
    url = f"sqlite:///{folder / 'journal.sqlite'}"
    journal = Journal(url, timeout=5)
    fill(journal)
    journal.dispose()
    with Served(url, folder, operators=[{"name": "alice", "token": TOKEN}]) as door:
        yield door


@pytest.mark.parametrize(("size", "scheme"), [("phone", "dark"), ("desk", "light")])
def test_every_page(browser: Browser, served: Served, size: str, scheme: Any) -> None:
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page, complaints = _listened_to(context)
    for path in (*PAGES, "/none"):
        _look_at(page, served.url + path, f"{size}-{scheme}")
    _log_in(page, served)
    for path in FOR_OPERATORS:
        _look_at(page, served.url + path, f"{size}-{scheme}-operator")
    context.close()
    # the page that is not there is asked for on purpose
    assert [said for said in complaints if "404" not in said] == []


def test_a_page_is_brought_up_to_date(browser: Browser, served: Served) -> None:
    context = browser.new_context()
    page, complaints = _listened_to(context)
    page.goto(served.url + "/")
    page.click("#hours summary")
    journal = Journal(f"sqlite:///{served.log.parent / 'journal.sqlite'}", timeout=5)
    written.deliver(journal, "it-has-just-come")
    journal.dispose()
    page.wait_for_selector("text=it-has-just-come", timeout=15_000)
    assert page.get_attribute("#hours", "open") is not None, "what was opened stays open"
    page.click("button.live")
    assert page.inner_text("button.live") == "Updates stopped"
    context.close()
    assert complaints == []


def test_without_scripts_and_with_the_keyboard(browser: Browser, served: Served) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(served.url + "/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.url.endswith("#main"), "the first thing that the keyboard meets leads to the content"
    _log_in(page, served)
    page.goto(served.url + "/replay/held/delivery")
    page.click("text=Replay it")
    assert page.url == served.url + "/deliveries/held/delivery"
    page.goto(served.url + "/operators/actions")
    assert "delivery held/delivery" in page.inner_text("main")
    page.click("text=Log out")
    assert page.inner_text(".who") == "Log in"
    context.close()


def _log_in(page: Page, served: Served) -> None:
    page.goto(served.url + "/login")
    page.fill("[name=name]", "alice")
    page.fill("[name=token]", TOKEN)
    page.press("[name=token]", "Enter")
    page.wait_for_url(served.url + "/dead")


def _listened_to(context: BrowserContext) -> tuple[Page, list[str]]:
    """A page, and all that it complains about: errors, violations of the policy, dialogs that nobody may open."""
    page = context.new_page()
    complaints: list[str] = []

    def dialog(opened: Any) -> None:
        complaints.append(f"a dialog: {opened.message}")
        opened.dismiss()

    page.on(
        "console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", dialog)
    return page, complaints


def _look_at(page: Page, url: str, name: str) -> None:
    page.goto(url)
    wide = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide[0] <= wide[1], f"{url} is wider than the {name}"
    assert page.locator("main h1").count() == 1
    unnamed = page.evaluate(
        "[...document.querySelectorAll('a, button, input:not([type=hidden]), select')].filter("
        "each => !(each.labels?.length || each.textContent.trim() || each.ariaLabel)).length"
    )
    assert unnamed == 0, f"{url} has something to operate without a name"
    if PICTURES:
        file = url.partition("//")[2].partition("/")[2].replace("/", "_") or "overview"
        page.screenshot(path=f"{PICTURES}/{file}-{name}.png", full_page=True)
