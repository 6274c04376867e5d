"""The systems outside, as one process sees them: made from the configuration, each when it is first needed.

Used by everything that works with the outside. This is the only place that knows both the configuration and the
clients. Only hosts that stand in the configuration are ever contacted: a payload's URL chooses among them, no more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from packit_worker.errors import NotFound, UserError
from packit_worker.journal import Journal
from packit_worker.ports import Aliases, Copr, DistGit, FasJson, Forge, Koji, SentWebhooks, TestingFarm

if TYPE_CHECKING:
    from packit_worker.cell.packit import Packit
    from packit_worker.clients.budget import Budget
    from packit_worker.clients.sharing import Budgets
    from packit_worker.config.secret import Secret
    from packit_worker.config.service import GitLabInstance, ServiceConfig

# The clients are imported where they are made: ogr takes a second and 70 MB, copr.v3 a third of a second, and the web
# process, which imports this module as well, never needs them.

#: GitHub's own wish, in seconds: https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api
GITHUB_WRITE_INTERVAL = 1.0
PUBLIC_GITHUB_API = "https://api.github.com"
DEFAULT_PORTS = {"http": 80, "https": 443}

#: Scheme, host and port.
Origin = tuple[str, str | None, int | None]


class Services:
    """The clients of one process. Safe to use from several threads. Make it after the process was forked."""

    def __init__(self, config: ServiceConfig, journal: Journal | None = None) -> None:
        self._config = config
        self._journal = journal
        self._making = threading.RLock()

    @classmethod
    def from_config(cls, config: ServiceConfig, journal: Journal | None = None) -> Services:
        """The services of this configuration. Nothing is imported, opened or called yet.

        Through the journal processes tell each other of rate limits; without one this process knows its own alone.
        """
        return cls(config, journal)

    def forge(self, name_or_project_url: str) -> Forge:
        """The forge called so, or the one the project's page is on. Raises NotFound for any other."""
        if name_or_project_url == "github":
            return self.github
        with self._making:
            make = self._forges.get(_origin(name_or_project_url))
            if make is None:
                raise NotFound(f"No forge of ours: {name_or_project_url}")
            return make()

    @cached_property
    def _forges(self) -> Mapping[Origin, Callable[[], Forge]]:
        """The forges there are, by the origin of their pages; each is made when it is first asked for."""
        config = self._config
        found: dict[Origin, Callable[[], Forge]] = {_origin(config.github.web_url): lambda: self._github}
        for instance in config.pagure.instances:
            found[_origin(instance.url)] = cache(
                partial(self._pagure, instance.url, instance.login, instance.token)
            )
        for gitlab in config.gitlab.instances:
            found[_origin(gitlab.url)] = cache(partial(self._gitlab, gitlab))
        # Dist-git is a Pagure too: packages are read there, and told of, without an account in vain.
        dist_git = config.dist_git
        found.setdefault(
            _origin(dist_git.url),
            cache(partial(self._pagure, dist_git.url, dist_git.login, dist_git.token)),
        )
        return found

    def _pagure(self, url: str, login: str | None, token: Secret | None) -> Forge:
        from packit_worker.clients.pagure import Pagure

        return Pagure(
            url=url,
            login=login,
            token=token.reveal() if token else None,
            fallback_url=self._config.server_url,
            timeout=self._config.limits.http_timeout,
            budget=self._budget("Pagure", url),
        )

    def _gitlab(self, instance: GitLabInstance) -> Forge:
        from packit_worker.clients.gitlab import GitLab

        return GitLab(
            url=instance.url,
            login=instance.login,
            token=instance.token.reveal(),
            timeout=self._config.limits.http_timeout,
            budget=self._budget("GitLab", instance.url),
        )

    def _budget(self, system: str, url: str) -> Budget:
        return self._budgets.of(system, urlsplit(url).netloc)

    @cached_property
    def _budgets(self) -> Budgets:
        from packit_worker.clients.sharing import Budgets

        return Budgets(self._journal)

    @property
    def github(self) -> Forge:
        """GitHub."""
        with self._making:
            return self._github

    @property
    def copr(self) -> Copr:
        """Copr."""
        with self._making:
            return self._copr

    @property
    def koji(self) -> Koji:
        """Koji. Raises UserError where its library is not installed."""
        with self._making:
            return self._koji

    def packit(self) -> Packit:
        """The program packit, for jails. Raises NoCell where it is not installed."""
        from packit_worker.cell.packit import Packit

        return Packit(self._config.packit.program, allow=self._config.packit.allow)

    @property
    def dist_git(self) -> DistGit | None:
        """Dist-git; None without an account there."""
        with self._making:
            return self._dist_git

    @property
    def testing_farm(self) -> TestingFarm:
        """Testing Farm."""
        with self._making:
            return self._testing_farm

    @property
    def aliases(self) -> Aliases:
        """What distribution aliases stand for."""
        with self._making:
            return self._aliases

    @property
    def webhooks(self) -> SentWebhooks | None:
        """What GitHub has sent to our App; None without an App, which alone may ask."""
        with self._making:
            return self._webhooks

    @property
    def fasjson(self) -> FasJson | None:
        """Fedora's accounts; None where the configuration names no server."""
        with self._making:
            return self._fasjson

    @cached_property
    def _fasjson(self) -> FasJson | None:
        from packit_worker.clients.fasjson import FasJsonClient

        if self._config.fasjson_url is None:
            return None
        return FasJsonClient(
            url=self._config.fasjson_url,
            principal=self._config.fasjson_principal,
            keytab=self._config.fasjson_keytab,
            timeout=self._config.limits.http_timeout,
        )

    @cached_property
    def _github(self) -> Forge:
        from packit_worker.clients.github import GitHub

        github = self._config.github
        public = github.api_url.rstrip("/") == PUBLIC_GITHUB_API
        return GitHub(
            api_url=github.api_url,
            web_url=github.web_url,
            app_id=str(github.app_id) if github.app_id else None,
            private_key=github.private_key.reveal() if github.private_key else None,
            app_slug=github.app_slug,
            token=github.token.reveal() if github.token else None,
            timeout=self._config.limits.http_timeout,
            write_interval=GITHUB_WRITE_INTERVAL if public else 0.0,
            budgets=self._budgets,
        )

    @cached_property
    def _webhooks(self) -> SentWebhooks | None:
        github = self._config.github
        if not github.app_id or not github.private_key:
            return None
        # By itself, not out of the client for repositories: the sweeper, which asks, has no use for ogr.
        from packit_worker.clients.github_app import GitHubApp
        from packit_worker.clients.http import Http

        http = Http("GitHub", github.api_url, timeout=self._config.limits.http_timeout)
        return GitHubApp(str(github.app_id), github.private_key.reveal(), http)

    @cached_property
    def _copr(self) -> Copr:
        from packit_worker.clients.copr import CoprClient

        copr = self._config.copr
        return CoprClient(
            url=copr.url,
            username=copr.username or "",
            login=copr.login.reveal() if copr.login else "",
            token=copr.token.reveal() if copr.token else "",
            timeout=self._config.limits.http_timeout,
            budget=self._budget("Copr", copr.url),
        )

    @cached_property
    def _koji(self) -> Koji:
        try:
            from packit_worker.clients.koji import KojiClient
        except ImportError as error:
            raise UserError(
                "This service cannot build in Koji: the library koji is not installed.",
                next_step="Whoever operates the service: install packit-worker with its extra koji.",
            ) from error
        koji = self._config.koji
        return KojiClient(
            hub_url=koji.hub_url,
            web_url=koji.web_url,
            results_url=koji.results_url,
            principal=koji.principal,
            keytab=koji.keytab,
            cert=koji.cert,
            serverca=koji.serverca,
            username=koji.username,
            password=koji.password.reveal() if koji.password else None,
            timeout=self._config.limits.http_timeout,
        )

    @cached_property
    def _dist_git(self) -> DistGit | None:
        from packit_worker.clients.dist_git import DistGitClient
        from packit_worker.clients.lookaside import Identity, LookasideClient

        dist_git = self._config.dist_git
        if not dist_git.login or not dist_git.token:
            return None
        return DistGitClient(
            url=dist_git.url,
            login=dist_git.login,
            token=dist_git.token.reveal(),
            lookaside=LookasideClient(
                dist_git.lookaside_url,
                dist_git.lookaside_upload_url,
                Identity(
                    principal=dist_git.principal,
                    keytab=dist_git.keytab,
                    cert=dist_git.cert,
                    ca=dist_git.lookaside_ca,
                    login=dist_git.login,
                    token=dist_git.token.reveal(),
                ),
                timeout=self._config.limits.http_timeout,
            ),
            timeout=self._config.limits.http_timeout,
            budget=self._budget("Pagure", dist_git.url),
        )

    @cached_property
    def _testing_farm(self) -> TestingFarm:
        from packit_worker.clients.testing_farm import TestingFarmClient

        farm = self._config.testing_farm
        return TestingFarmClient(
            api_url=farm.api_url,
            token=farm.token.reveal() if farm.token else "",
            server_url=self._config.server_url,
            callback_token=farm.callback_token.reveal() if farm.callback_token else None,
            timeout=self._config.limits.http_timeout,
            budget=self._budget("Testing Farm", farm.api_url),
        )

    @cached_property
    def _aliases(self) -> Aliases:
        from packit_worker.clients.aliases import DistributionAliases

        return DistributionAliases(
            self._config.target_aliases, self._config.aliases_url, timeout=self._config.limits.http_timeout
        )


def _origin(url: str) -> Origin:
    """Scheme, host and port of a page; what is no URL is nobody's."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return "", None, None
