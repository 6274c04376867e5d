"""Upstream projects out of spec files and configurations."""

from __future__ import annotations

import pytest

from packit_worker import upstreams
from packit_worker.config.package import load
from packit_worker.errors import UserError


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("Name: x\nURL: https://github.com/acme/x\n", "https://github.com/acme/x"),
        ("Name: x\nUrl:\t\thttps://github.com/acme/%{name}  \n", "https://github.com/acme/%{name}"),
        ("  url : https://a.b/c", "https://a.b/c"),
        ("URL: https://a.b/first\nURL: https://a.b/second\n", "https://a.b/first"),
        ("#URL: https://a.b/c\nSourceURL: https://a.b/c\n", None),
        ("Name: x\nURL:\nVersion: 1\n", None),
        ("", None),
    ],
)
def test_told(spec: str, told: str | None) -> None:
    assert upstreams.told_url(spec) == told


@pytest.mark.parametrize(
    ("told", "url"),
    [
        ("https://github.com/acme/hello", "https://github.com/acme/hello"),
        ("https://github.com/acme/hello/", "https://github.com/acme/hello"),
        ("https://github.com/acme/hello.git", "https://github.com/acme/hello"),
        ("https://github.com/acme/hello?tab=readme#top", "https://github.com/acme/hello"),
        ("http://github.com/acme/hello", "https://github.com/acme/hello"),
        ("http://127.0.0.1:8080/acme/hello", "http://127.0.0.1:8080/acme/hello"),
        ("https://gitlab.com/a/b/c", "https://gitlab.com/a/b/c"),
    ],
)
def test_addresses(told: str, url: str) -> None:
    assert upstreams.project_url(told) == url


@pytest.mark.parametrize(
    "told",
    [
        "hello",
        "https://hello.example.com",
        "git@github.com:acme/hello.git",
        "ssh://github.com/acme/hello",
        "file:///etc/passwd",
        "https://user:password@github.com/acme/hello",
        "https://github.com/../etc",
        "https://[::1/acme/hello",
        "https://github.com:port/acme/hello",
        "https://github.com/acme/%{name}",
    ],
)
def test_no_addresses(told: str) -> None:
    with pytest.raises(UserError, match="no address of an upstream project") as raised:
        upstreams.project_url(told)
    assert "upstream_project_url" in raised.value.next_step


def test_packages() -> None:
    one = load("specfile_path: a.spec\njobs: []\n", path=".packit.yaml", repo_name="a")
    assert upstreams.package_of(one, "whatever") is None
    text = (
        "packages:\n  one: {downstream_package_name: a, specfile_path: a.spec}\n"
        "  two: {downstream_package_name: b, specfile_path: b.spec}\njobs: []\n"
    )
    two = load(text, path=".packit.yaml", repo_name="x")
    assert upstreams.package_of(two, "b") == "two"
    with pytest.raises(UserError, match="called c in dist-git"):
        upstreams.package_of(two, "c")
