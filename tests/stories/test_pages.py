"""What maintainers see on the pages of what has really happened: a pull request, its tests, and a newer push."""

from __future__ import annotations

import html
import re

from packit_worker.web.pages.words import pull as page_of

from .world import REPOSITORY, World


def test_a_pull_request_that_was_pushed_to_again(world: World) -> None:
    pull = world.repository()
    first = pull.head_sha
    world.post(world.opened(pull))
    world.work()
    world.finish_builds()
    world.work()
    world.finish_tests()
    world.work()
    second = world.sandbox.github.push_to_pull_request(REPOSITORY, pull.number, files={"more": "x"}).head_sha
    hook = world.sandbox.github.webhook(
        "pull_request", "synchronize", repository=REPOSITORY, pull_request=pull.number
    )
    world.post(hook)
    world.work()

    (subject,) = {event.subject for event in world.events() if event.kwargs.get("pr_id") == pull.number}
    with world.web.application.test_request_context():
        address = page_of(subject)
    assert address is not None
    page = html.unescape(world.web.get(address).text)
    newest, before = page.split("Commits before it")
    before = before.partition("Deliveries")[0]
    assert (second[:12] in newest, first[:12] in newest, first[:12] in before) == (True, False, True)
    shown = {sha: world.checks(sha) for sha in (first, second)}
    for text, sha in ((newest, second), (before, first)):
        assert shown[sha]
        for name, check in shown[sha].items():
            assert name in text
            assert f'href="{check["html_url"]}"' in text
    assert all(f">{state}</span>" in before for state in ("success", "passed"))
    old, new = world.sandbox.copr.builds
    assert (f"build {old.id}" in before, f"build {new.id}" in newest) == (True, True)
    assert len(re.findall(r">(?:log|results)</bdi></a>", before)) >= 2, "logs of builds and results of tests"

    overview = html.unescape(world.web.get("/").text)
    assert re.search(r"95 % within [\d.]+ s, of 2 in 24 h", overview)
    assert "Nothing was given up" in world.web.get("/dead").text
