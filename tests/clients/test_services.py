"""The services of one process: made once, when needed, for configured hosts only."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from packit_worker.errors import NotFound
from packit_worker.sandbox import Sandbox
from packit_worker.services import Services


class Secret:
    """As in the configuration: shown by ``reveal`` only."""

    def __init__(self, text: str) -> None:
        self.reveal = lambda: text


@pytest.fixture
def services(sandbox: Sandbox) -> Services:
    made = sandbox.copr
    config: Any = SimpleNamespace(
        github=SimpleNamespace(
            app_id=sandbox.github.app_id,
            private_key=Secret(sandbox.github.private_key_pem),
            api_url=f"{sandbox.github.url}/api/v3",
            web_url=sandbox.github.url,
            app_slug=sandbox.github.app_slug,
            token=None,
        ),
        copr=SimpleNamespace(
            url=made.url, username=made.username, login=Secret(made.login), token=Secret(made.token)
        ),
        dist_git=SimpleNamespace(url=sandbox.pagure.url, login=None, token=None),
        pagure=SimpleNamespace(
            instances=(
                SimpleNamespace(
                    url=sandbox.pagure.url, login=sandbox.pagure.username, token=Secret(sandbox.pagure.token)
                ),
            )
        ),
        gitlab=SimpleNamespace(
            instances=(
                SimpleNamespace(
                    url=sandbox.gitlab.url, login=sandbox.gitlab.username, token=Secret(sandbox.gitlab.token)
                ),
                SimpleNamespace(url="https://example.org/gitlab", login="packit", token=Secret("t" * 20)),
            )
        ),
        testing_farm=SimpleNamespace(
            api_url=f"{sandbox.testing_farm.url}/v0.1",
            token=Secret(sandbox.testing_farm.token),
            callback_token=Secret("c" * 20),
        ),
        server_url="https://worker.example",
        limits=SimpleNamespace(http_timeout=5.0),
        target_aliases={"fedora-stable": ["fedora-43"]},
        aliases_url=None,
    )
    return Services.from_config(config)


def test_all_of_them_work(sandbox: Sandbox, services: Services) -> None:
    sandbox.github.add_repository("acme/tool", installation_id=71)
    page = f"{sandbox.github.url}/acme/tool"
    assert services.forge(page).project(page, 71).top_files("main") == ("README.md",)
    sandbox.dist_git.add_package("tool")
    package = f"{sandbox.pagure.url}/rpms/tool"
    assert services.forge(package).project(package).top_files("rawhide") == ("sources", "tool.spec")
    sandbox.pagure.add_project("tool")
    page = f"{sandbox.pagure.url}/tool"
    assert services.forge(page).project(page).top_files("main") == ("README.md",)
    assert services.forge(page) is services.forge(sandbox.pagure.url)
    assert "fedora-rawhide-x86_64" in services.copr.available_chroots()
    with pytest.raises(NotFound):
        services.testing_farm.get_request("none")
    assert services.aliases.expand("fedora-stable") == ("fedora-43",)


@pytest.mark.parametrize(
    "get",
    [
        lambda services: services.forge("github"),
        lambda services: services.copr,
        lambda services: services.testing_farm,
        lambda services: services.aliases,
    ],
)
def test_one_for_all_threads(services: Services, get: Callable[[Services], object]) -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: get(services), range(32)))
    assert len({id(one) for one in made}) == 1


@pytest.mark.parametrize(
    "project_url",
    [
        "https://github.com/acme/tool",
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1:6379/acme/tool",
        "file:///etc/passwd",
        "http://[::1/acme/tool",
        "http://127.0.0.1:99999/acme/tool",
        "",
    ],
)
def test_no_forge_for_a_host_that_is_not_configured(
    sandbox: Sandbox, services: Services, project_url: str
) -> None:
    with pytest.raises(NotFound):
        services.forge(project_url)
    assert not sandbox.calls()


def test_importing_is_cheap() -> None:
    heavy = "{'ogr', 'github', 'copr', 'requests', 'fedora_distro_aliases'}"
    code = f"import sys, packit_worker.services; print(*({heavy} & sys.modules.keys()))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert not done.stdout.strip()


def test_each_gitlab_by_its_address(sandbox: Sandbox, services: Services) -> None:
    sandbox.gitlab.add_project("acme/tools/hello")
    page = f"{sandbox.gitlab.url}/acme/tools/hello"
    forge = services.forge(page)
    assert forge.project(page).top_files("main") == ("README.md",)
    assert services.forge(f"{sandbox.gitlab.url}/other/project") is forge
    below = services.forge("https://example.org/gitlab/acme/hello")
    assert below is not forge
    assert (
        below.project("https://example.org/gitlab/acme/hello").url == "https://example.org/gitlab/acme/hello"
    )
    for elsewhere in (
        "https://example.org/acme/hello",
        "https://example.org/gitlabs/a/b",
        "https://gitlab.com/a/b",
    ):
        with pytest.raises(NotFound):
            services.forge(elsewhere).project(elsewhere)
