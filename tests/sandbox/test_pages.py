"""The web pages: what they show, and that they show it harmlessly."""

from typing import Any

import pytest
import requests
from copr.v3 import Client
from github.Repository import Repository

from packit_worker.sandbox import Sandbox

HOSTILE = '<script>alert("x")</script>'
ESCAPED = "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;"


def read(url: str) -> str:
    answer = requests.get(url, timeout=5)
    answer.raise_for_status()
    return answer.text


def test_pull_request_page(sandbox: Sandbox, hello: Repository) -> None:
    pull = sandbox.github.open_pull_request("acme/hello", title=HOSTILE, body=HOSTILE, branch=HOSTILE)
    sandbox.github.add_comment("acme/hello", 1, f"{HOSTILE}\n\n  indented *stars*", author="bob")
    output: dict[str, Any] = {"title": HOSTILE, "summary": HOSTILE, "text": HOSTILE}
    check = hello.create_check_run(HOSTILE, pull.head_sha, conclusion="failure", output=output)
    hello.get_commit(pull.head_sha).create_status("pending", "http://status", HOSTILE, HOSTILE)

    for path in ("acme/hello/pull/1", "acme/hello", f"acme/hello/runs/{check.id}"):
        page = read(f"{sandbox.github.url}/{path}")
        assert "<script" not in page
        assert ESCAPED in page
    page = read(pull_url := f"{sandbox.github.url}/acme/hello/pull/1")
    assert hello.get_pull(1).html_url == pull_url
    assert "\n\n  indented *stars*" in page
    assert 'href="http://status"' in page
    assert "failure" in page
    assert "acme/hello" in read(sandbox.github.url)


def test_copr_pages(sandbox: Sandbox, copr: Client) -> None:
    copr.project_proxy.add("packit", "hello", ["fedora-43-x86_64"], description=HOSTILE)
    build = copr.build_proxy.create_from_custom("packit", "hello", HOSTILE)
    sandbox.copr.finish_all(build.id)

    for path in ("coprs/packit/hello/", f"coprs/build/{build.id}"):
        page = read(f"{sandbox.copr.url}/{path}")
        assert "<script" not in page
        assert ESCAPED in page
    chroot = copr.build_chroot_proxy.get(build.id, "fedora-43-x86_64")
    assert "succeeded" in read(f"{chroot.result_url}builder-live.log")
    assert (
        "text/plain"
        in requests.get(f"{chroot.result_url}builder-live.log", timeout=5).headers["Content-Type"]
    )


def test_testing_farm_pages(sandbox: Sandbox) -> None:
    sent = {"test": {"fmf": {"url": HOSTILE, "ref": "main"}}, "environments": [{"arch": "x86_64"}]}
    request = sandbox.testing_farm.create("packit", sent)
    sandbox.testing_farm.finish(request.id, "failed", summary=HOSTILE)
    for path in ("", f"artifacts/{request.id}/"):
        page = read(f"{sandbox.testing_farm.url}/{path}")
        assert "<script" not in page
        assert "failed" in page


def test_bus_page(sandbox: Sandbox) -> None:
    sandbox.bus.publish("org.example.topic", {"text": HOSTILE})
    page = read(sandbox.bus.url)
    assert "<script" not in page
    assert "org.example.topic" in page


@pytest.mark.parametrize("path", ["", "acme/hello"])
def test_pages_fit_phones_and_the_dark(sandbox: Sandbox, hello: Repository, path: str) -> None:
    page = read(f"{sandbox.github.url}/{path}")
    assert "width=device-width" in page
    assert "prefers-color-scheme:dark" in page
