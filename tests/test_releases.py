"""Versions from tags, names, delays; branches of dist-git."""

from __future__ import annotations

import pytest

from packit_worker import releases, targets
from packit_worker.errors import UserError


@pytest.mark.parametrize(
    ("tag", "template", "version"),
    [
        ("1.2", "{version}", "1.2"),
        ("v1.2", "v{version}", "1.2"),
        ("hello-1.2~rc1", "{upstream_package_name}-{version}", "1.2~rc1"),
        ("release-1.2-final", "release-{version}-final", "1.2"),
        ("vv1", "v{version}", "v1"),
    ],
)
def test_the_version_of_a_tag(tag: str, template: str, version: str) -> None:
    assert releases.version_of(tag, template, "hello") == version


@pytest.mark.parametrize(
    ("tag", "template"),
    [
        ("1.2", "v{version}"),
        ("v", "v{version}"),
        ("1.2", "static"),
        ("x", "x{version}x"),
        ("--option", "{version}"),
        ("a/b", "{version}"),
        ("1..2", "{version}"),
        ("1.lock", "{version}"),
        ("1 2", "{version}"),
    ],
)
def test_what_is_no_version(tag: str, template: str) -> None:
    with pytest.raises(UserError) as raised:
        releases.version_of(tag, template)
    assert "upstream_tag_template" in raised.value.next_step


def test_tags_that_are_left_out() -> None:
    assert releases.why_left_out("v1", None, None) is None
    assert releases.why_left_out("v1", "v", "x") is None
    assert "does not match" in (releases.why_left_out("v1", r"\d", None) or "")
    assert "matches upstream_tag_exclude" in (releases.why_left_out("v1-rc", None, ".*rc") or "")
    assert "no regular expression" in (releases.why_left_out("v1", "(", None) or "")


def test_names() -> None:
    assert releases.head_branch("1.2", "f43") == "1.2-f43-update"
    assert releases.title("1.2", "f43") == "[f43] Update to 1.2"
    assert releases.marker("https://x/y", "v1") == releases.marker("https://x/y", "v1")
    assert releases.marker("https://x/y", "v1") != releases.marker("https://x/y", "v2")


def test_delays_grow() -> None:
    assert [releases.delay(attempt) for attempt in (1, 2, 3, 4, 5, 6, 99)] == [
        15,
        30,
        60,
        120,
        240,
        240,
        240,
    ]


ALIASES = {
    "fedora-all": ("fedora-rawhide", "fedora-44", "fedora-43"),
    "epel-all": ("epel-10.1", "epel-9"),
}


def test_branches_of_dist_git() -> None:
    names = ["rawhide", "fedora-all", "epel-all", "f42", "fedora-41", "centos-stream-9", "c10s", "private-x"]
    assert targets.branches(names, ALIASES.get) == (
        *("rawhide", "f44", "f43", "epel10.1", "epel9", "f42", "f41", "c9s", "c10s", "private-x"),
    )


def test_nobody_is_asked_about_branches() -> None:
    def ask(name: str) -> tuple[str, ...] | None:
        raise AssertionError(name)

    assert targets.branches(["rawhide", "f43", "epel9", "main"], ask) == ("rawhide", "f43", "epel9", "main")


@pytest.mark.parametrize("name", ["", "-f43", "a b", "a..b", "x.lock", "refs/heads/x", "a."])
def test_what_is_no_branch(name: str) -> None:
    with pytest.raises(UserError):
        targets.branches([name], ALIASES.get)
