"""What may not run says so where people look, and says who can do what about it."""

from __future__ import annotations

from collections.abc import Callable

from .world import World

ALL = {
    "rpm-build:fedora-43-x86_64",
    "rpm-build:fedora-44-x86_64",
    "testing-farm:fedora-43-x86_64",
    "testing-farm:fedora-44-x86_64",
}


def test_author_without_rights(world: World) -> None:
    pull = world.repository(author="stranger")
    world.post(world.opened(pull))
    world.work()
    checks = world.checks(pull.head_sha)
    assert {name: check["conclusion"] for name, check in checks.items()} == dict.fromkeys(
        ALL, "action_required"
    )
    output = checks["rpm-build:fedora-43-x86_64"]["output"]
    assert "stranger" in output["title"]
    assert "write or admin permission" in output["summary"].splitlines()[0]
    assert world.sandbox.copr.builds == []


def test_account_not_on_the_allowlist(make_world: Callable[..., World]) -> None:
    world = make_world()
    pull = world.repository()
    delivery = world.opened(pull)
    world.post(delivery)
    world.work()
    checks = world.checks(pull.head_sha)
    assert {name: check["conclusion"] for name, check in checks.items()} == dict.fromkeys(
        ALL, "action_required"
    )
    assert "allowlist" in checks["rpm-build:fedora-43-x86_64"]["output"]["title"]
    assert world.sandbox.copr.builds == []
    assert any(
        entry.next_step and "operator" in entry.next_step.lower() for entry in world.decisions(delivery.id)
    )


def test_allowlist_is_not_asked_when_nothing_would_run(make_world: Callable[..., World]) -> None:
    world = make_world()
    pull = world.repository("specfile_path: hello.spec\njobs: []\n")
    delivery = world.opened(pull)
    world.post(delivery)
    world.work()
    assert not [entry for entry in world.decisions(delivery.id) if "allowlist" in entry.title]
    assert world.checks(pull.head_sha) == {}


def test_administrator_needs_neither(make_world: Callable[..., World]) -> None:
    world = make_world(admins=["Root"])
    pull = world.repository(author="root")
    world.post(world.opened(pull))
    world.work()
    assert len(world.sandbox.copr.builds) == 1


def test_private_repository(world: World) -> None:
    pull = world.repository(private=True)
    delivery = world.opened(pull)
    world.post(delivery)
    world.work()
    assert world.checks(pull.head_sha) == {}
    assert [call for call in world.sandbox.calls("github") if "/repos/" in call.path] == []
    (entry,) = world.decisions(delivery.id)
    assert "private" in entry.text
    assert "enabled_private_namespaces" in (entry.next_step or "")
    assert world.events()[0].state == "ignored"


def test_private_repository_that_is_let_in(make_world: Callable[..., World]) -> None:
    world = make_world(enabled_private_namespaces=["http://127.0.0.1/Acme/"])
    world.approve()
    pull = world.repository(private=True)
    world.post(world.opened(pull))
    world.work()
    checks = world.checks(pull.head_sha).values()
    assert checks and all("Copr can neither read its sources" in str(check["output"]) for check in checks)
    assert world.sandbox.copr.builds == [], "Copr would show the sources to anybody"


def test_invalid_configuration(world: World) -> None:
    pull = world.repository("specfile_path: hello.spec\njobs:\n- job: copr_build\n  tigger: pull_request\n")
    delivery = world.opened(pull)
    world.post(delivery)
    world.work()
    (check,) = world.checks(pull.head_sha).values()
    assert check["name"] == "package-config"
    assert check["conclusion"] == "neutral"
    assert "line 4, column 3" in check["output"]["title"]
    assert "did you mean trigger?" in check["output"]["title"]
    assert world.events()[0].state == "ignored"


def test_hostile_names_do_no_harm(world: World) -> None:
    """A configuration's own words are shown, and mean nothing in Markdown."""
    pull = world.repository(
        "jobs:\n- job: '@everyone [x](http://evil.example) <img src=x>'\n  trigger: pull_request\n"
    )
    world.post(world.opened(pull))
    world.work()
    (check,) = world.checks(pull.head_sha).values()
    summary = check["output"]["summary"]
    outside_of_code = "".join(summary.split("```")[::2])
    assert "@everyone" not in outside_of_code
    assert "](http" not in outside_of_code
    assert "<img" not in outside_of_code
