"""A sandbox for each test, and the real clients pointed at it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import github
import pytest
from copr.v3 import Client
from github.Repository import Repository

from packit_worker.sandbox import Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox where nothing moves by itself."""
    with Sandbox(auto=False) as running:
        yield running


@pytest.fixture
def moving() -> Iterator[Sandbox]:
    """A sandbox where builds and tests move by themselves, quickly."""
    with Sandbox(auto=True, build_seconds=0.1, test_seconds=0.1) as running:
        yield running


@pytest.fixture
def closing() -> Iterator[ExitStack]:
    """Closes what tests opened."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def integration(sandbox: Sandbox, closing: ExitStack) -> github.GithubIntegration:
    """PyGithub as the App."""
    app = github.Auth.AppAuth(sandbox.github.app_id, sandbox.github.private_key_pem)
    return closing.enter_context(
        github.GithubIntegration(
            auth=app, base_url=sandbox.github.url, seconds_between_requests=0, seconds_between_writes=0
        )
    )


@pytest.fixture
def as_installation(
    integration: github.GithubIntegration, closing: ExitStack
) -> Callable[[int], github.Github]:
    """PyGithub as an installation of the App."""

    def client(installation_id: int) -> github.Github:
        return closing.enter_context(integration.get_github_for_installation(installation_id))

    return client


@pytest.fixture
def as_user(sandbox: Sandbox, closing: ExitStack) -> Callable[[str], github.Github]:
    """PyGithub with a personal token."""

    def client(token: str) -> github.Github:
        return closing.enter_context(
            github.Github(
                auth=github.Auth.Token(token),
                base_url=f"{sandbox.github.url}/api/v3",
                seconds_between_requests=0,
                seconds_between_writes=0,
                retry=None,
            )
        )

    return client


@pytest.fixture
def hello(sandbox: Sandbox, as_installation: Callable[[int], github.Github]) -> Repository:
    """The repository acme/hello with the App on it, as PyGithub sees it."""
    sandbox.github.add_repository("acme/hello", permissions={"alice": "admin"}, installation_id=1001)
    return as_installation(1001).get_repo("acme/hello")


def content(repository: Repository, path: str, ref: str) -> bytes:
    """A file of a repository."""
    found = repository.get_contents(path, ref=ref)
    assert not isinstance(found, list)
    return found.decoded_content


def copr_client(sandbox: Sandbox, login: str | None = None, token: str | None = None) -> Client:
    """Copr's client, by default with the sandbox's own token."""
    return Client(
        {
            "copr_url": sandbox.copr.url,
            "login": login or sandbox.copr.login,
            "token": token or sandbox.copr.token,
            "username": sandbox.copr.username,
        }
    )


@pytest.fixture
def copr(sandbox: Sandbox) -> Client:
    """Copr's client at the sandbox that stands still."""
    return copr_client(sandbox)
