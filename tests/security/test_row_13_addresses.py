"""Row 13: addresses in payloads and configurations that would like us to call somebody.

Only hosts of the service's own configuration are called. Of the rest this proves that nobody listens in vain: a trap on
127.0.0.1 stands wherever a stranger can write an address.
"""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cell.conftest import Trap
from stories.world import ONE_BUILD, World

from packit_worker.config.service import from_mapping
from packit_worker.errors import NotFound, Refused, TemporaryError
from packit_worker.sandbox.github_webhooks import signed
from packit_worker.services import Services

TOKEN = "a-token-that-nobody-else-may-see"
ADDRESSES = [
    "http://169.254.169.254/latest/meta-data",
    "http://127.0.0.1:6379/",
    "http://[::1]/",
    "file:///etc/passwd",
]


def elsewhere(payload: Any, host: str, *, keep: frozenset[str]) -> Any:
    """The payload with every address in it, but those under the keys ``keep``, leading to ``host``."""
    match payload:
        case dict():
            return {
                key: value
                if key in keep
                else f"{host}/{key}"
                if _is_address(key, value)
                else elsewhere(value, host, keep=keep)
                for key, value in payload.items()
            }
        case list():
            return [elsewhere(item, host, keep=keep) for item in payload]
        case _:
            return payload


def _is_address(key: str, value: Any) -> bool:
    return isinstance(value, str) and (key == "url" or key.endswith("_url") or "://" in value)


def told(world: World, change: Callable[[Any], Any]) -> Any:
    pull = world.repository(ONE_BUILD)
    github = world.sandbox.github
    delivery = signed("pull_request", change(world.opened(pull).json()), github.webhook_secret, github.app_id)
    assert world.post(delivery).status_code == 202
    world.work()
    return pull


def test_addresses_beside_the_page_are_not_followed(world: World, trap: Trap) -> None:
    host = f"http://127.0.0.1:{trap.port}"
    pull = told(world, lambda payload: elsewhere(payload, host, keep=frozenset({"html_url"})))
    assert trap.seen == []
    assert len(world.sandbox.copr.builds) == 1
    assert pull.head_sha in str(world.checks(pull.head_sha))


@pytest.mark.parametrize("address", [None, *ADDRESSES])
def test_a_page_on_another_host_is_no_project_of_ours(world: World, trap: Trap, address: str | None) -> None:
    host = address or f"http://127.0.0.1:{trap.port}"
    told(world, lambda payload: elsewhere(payload, host, keep=frozenset()))
    assert trap.seen == []
    assert world.sandbox.calls("github") == []
    assert world.sandbox.copr.builds == []
    assert all(event.state in ("ignored", "dead") for event in world.events())


def test_addresses_in_a_configuration_are_passed_on_and_not_called(world: World, trap: Trap) -> None:
    host = f"http://127.0.0.1:{trap.port}"
    config = f"""\
specfile_path: hello.spec
upstream_project_url: {host}/upstream
dist_git_base_url: {host}/dist-git
jobs:
  - {{job: copr_build, trigger: pull_request, targets: [fedora-43], additional_repos: ["{host}/repo"]}}
  - {{job: tests, trigger: pull_request, targets: [fedora-43], fmf_url: "{host}/fmf", fmf_ref: main}}
"""
    pull = world.repository(config)
    world.post(world.opened(pull))
    world.work()
    world.finish_builds()
    world.work()
    world.finish_tests()
    world.work()
    assert trap.seen == []
    assert world.sandbox.copr.builds
    assert f"{host}/fmf" in json.dumps(
        [request.__dict__ for request in world.sandbox.testing_farm.requests], default=str
    )
    assert set(world.conclusions(pull.head_sha).values()) == {"success"}


class Redirecting:
    """A server that leads everybody, whatever is asked, to another."""

    def __init__(self, to: str) -> None:
        self.asked = 0
        asked = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                asked.asked += 1
                self.send_response(301)
                self.send_header("Location", f"{to}/got")
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_POST = do_HEAD = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the library's names

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def redirecting(trap: Trap) -> Iterator[Redirecting]:
    # By another name: a client that compares no more than hosts would notice nothing of another port.
    made = Redirecting(f"http://localhost:{trap.port}")
    yield made
    made.close()


CALLS: dict[str, Callable[[Services, str], object]] = {
    "github": lambda services, url: (
        services.forge(f"{url}/acme/hello").project(f"{url}/acme/hello").is_private()
    ),
    "copr": lambda services, url: services.copr.get_build(1),
    "copr chroots": lambda services, url: services.copr.available_chroots(),
    "koji": lambda services, url: services.koji.targets(),
    "testing farm": lambda services, url: services.testing_farm.get_request("1"),
    "testing farm cancel": lambda services, url: services.testing_farm.cancel_request("1"),
    "fasjson": lambda services, url: services.fasjson and services.fasjson.account("alice"),
    "dist-git": lambda services, url: (
        services.dist_git and services.dist_git.find_pull_request("rpms/hello", "a", "b")
    ),
    "dist-git fork": lambda services, url: services.dist_git and services.dist_git.ensure_fork("rpms/hello"),
    "aliases": lambda services, url: services.aliases.expand("fedora-all"),
}


@pytest.mark.parametrize("name", CALLS)
def test_nobody_follows_to_another_host(name: str, redirecting: Redirecting, trap: Trap) -> None:
    url = redirecting.url
    services = Services.from_config(
        from_mapping(
            {
                "github": {"api_url": url, "web_url": url, "token": TOKEN},
                "copr": {"url": url, "username": "packit", "login": TOKEN, "token": TOKEN},
                "koji": {
                    "hub_url": f"{url}/kojihub",
                    "web_url": url,
                    "username": "packit",
                    "password": TOKEN,
                },
                "testing_farm": {"api_url": url, "token": TOKEN},
                "dist_git": {"url": url, "login": "packit", "token": TOKEN},
                "fasjson_url": url,
                "aliases_url": url,
                "limits": {"http_timeout": 2},
            }
        )
    )
    try:
        CALLS[name](services, url)
    except (NotFound, Refused, TemporaryError):
        pass
    else:
        assert name == "aliases", "an answer from somewhere else was taken"
    assert redirecting.asked
    assert trap.seen == []
