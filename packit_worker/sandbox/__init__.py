"""Stand-ins for the systems outside as real HTTP servers on 127.0.0.1.

GitHub, GitLab, Copr, Testing Farm, Koji, Pagure, dist-git and its lookaside cache, FASJSON, and the message bus.

For the demo, for development and for tests. Anybody may import it; it imports nothing else of the project.
"""

import threading
from collections import Counter
from types import TracebackType
from typing import Any, Self

from packit_worker.sandbox.bus import Bus
from packit_worker.sandbox.control import Control
from packit_worker.sandbox.copr import Copr
from packit_worker.sandbox.dist_git import DistGit
from packit_worker.sandbox.fasjson import Fasjson
from packit_worker.sandbox.faults import Faults
from packit_worker.sandbox.github import WEBHOOK_SECRET, GitHub
from packit_worker.sandbox.gitlab import GitLab
from packit_worker.sandbox.koji import Koji
from packit_worker.sandbox.lookaside import Lookaside
from packit_worker.sandbox.pagure import Pagure
from packit_worker.sandbox.recorder import Call, Recorder
from packit_worker.sandbox.scheduler import Scheduler
from packit_worker.sandbox.server import Server
from packit_worker.sandbox.testing_farm import TestingFarm

__all__ = ["Call", "Sandbox"]


class Sandbox:
    """All stand-ins together. A context manager: the servers answer between `start` and `stop`.

    With `auto` builds and tests move by themselves and take `build_seconds` and `test_seconds`; without it nothing
    moves until told. `ports` names ports for the servers, by the keys of `urls`; a free one is taken for the others.
    """

    def __init__(
        self,
        *,
        auto: bool = True,
        build_seconds: float = 1.0,
        test_seconds: float = 1.0,
        webhook_secret: str = WEBHOOK_SECRET,
        app_slug: str = "packit-sandbox",
        rate_limit: int = 15_000,
        ports: dict[str, int] | None = None,
    ) -> None:
        self.recorder = Recorder()
        self.faults = Faults()
        self.scheduler = Scheduler()
        self.bus = Bus(self.recorder, self.scheduler.stopping)
        self.github = GitHub(
            self.recorder,
            self.scheduler,
            webhook_secret=webhook_secret,
            app_slug=app_slug,
            rate_limit=rate_limit,
        )
        self.copr = Copr(self.recorder, self.scheduler, self.bus, auto=auto, build_seconds=build_seconds)
        self.testing_farm = TestingFarm(self.recorder, self.scheduler, auto=auto, test_seconds=test_seconds)
        self.koji = Koji(self.recorder, self.scheduler, self.bus, auto=auto, build_seconds=build_seconds)
        self.pagure = Pagure(self.recorder, self.bus)
        self.gitlab = GitLab(self.recorder)
        self.dist_git = DistGit(self.pagure)
        self.lookaside = Lookaside(self.recorder, self.pagure.state)
        self.fasjson = Fasjson()
        self.control_url = ""
        self._control = Control(self)
        self._ports = ports or {}
        self._servers: list[Server] = []

    def start(self) -> Self:
        """Bind the ports and begin to answer. Can be done once. Raises OSError for a port that is taken."""
        try:
            self.github.url = self._serve("github", self.github.wsgi, "/api/v3")
            self.copr.url = self._serve("copr", self.copr.wsgi)
            self.testing_farm.url = self._serve("testing_farm", self.testing_farm.wsgi)
            self.koji.url = self._serve("koji", self.koji.wsgi)
            self.pagure.url = self._serve("pagure", self.pagure.wsgi)
            self.gitlab.url = self._serve("gitlab", self.gitlab.wsgi)
            self.dist_git.url = self._serve("dist_git", self.dist_git.wsgi)
            self.lookaside.url = self._serve("lookaside", self.lookaside.wsgi)
            self.fasjson.url = self._serve("fasjson", self.fasjson.wsgi)
            self.bus.url = self._serve("bus", self.bus.wsgi)
            self.control_url = self._serve("control", self._control.wsgi)
        except OSError:
            self.stop()
            raise
        self.scheduler.start()
        for server in self._servers:
            server.start()
        return self

    def _serve(self, name: str, wsgi: Any, prefix: str = "") -> str:
        faults = Faults() if name == "control" else self.faults
        server = Server(name, wsgi, self.recorder, faults, port=self._ports.get(name, 0), prefix=prefix)
        self._servers.append(server)
        return server.url

    def stop(self) -> None:
        """Stop everything and free the ports."""
        self.scheduler.stop()
        self.bus.wake()
        stops = [threading.Thread(target=server.stop) for server in self._servers]
        for stop in stops:
            stop.start()
        for stop in stops:
            stop.join()
        self._servers = []
        self.github.close()
        self.pagure.close()
        self.gitlab.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def urls(self) -> dict[str, str]:
        """The address of each server."""
        return {
            "github": self.github.url,
            "copr": self.copr.url,
            "testing_farm": self.testing_farm.url,
            "koji": self.koji.url,
            "pagure": self.pagure.url,
            "gitlab": self.gitlab.url,
            "dist_git": self.dist_git.url,
            "lookaside": self.lookaside.url,
            "fasjson": self.fasjson.url,
            "bus": self.bus.url,
            "control": self.control_url,
        }

    def credentials(self) -> dict[str, Any]:
        """What a client needs to be let in, by server."""
        return {
            "github": {
                "app_id": self.github.app_id,
                "client_id": self.github.client_id,
                "private_key": self.github.private_key_pem,
                "webhook_secret": self.github.webhook_secret,
                "personal_token": self.github.personal_token,
            },
            "copr": {"username": self.copr.username, "login": self.copr.login, "token": self.copr.token},
            "testing_farm": {"token": self.testing_farm.token},
            "koji": {"username": self.koji.username, "password": self.koji.password},
            "pagure": {"username": self.pagure.username, "token": self.pagure.token},
            "gitlab": {"username": self.gitlab.username, "token": self.gitlab.token},
        }

    def calls(self, server: str | None = None) -> list[Call]:
        """The calls one server answered, or all did, without those of the control server."""
        return [
            call for call in self.recorder.calls(server) if call.server != "control" or server == "control"
        ]

    def effects(self) -> Counter[tuple[str, ...]]:
        """How often each thing was created from outside; a count above one is a doubled effect.

        Keys: ``("check_run", repository, sha, name, external_id)``, ``("comment", repository, number, body hash)``,
        ``("copr_build", project, source JSON)``, ``("tf_request", test and environments JSON)``,
        ``("koji_build", target, source, options JSON)``, ``("pagure_pr", project, branch, fork, branch there)``,
        ``("pagure_pr_flag", project, number, name, uid)``, ``("pagure_commit_flag", project, sha, name, uid)``,
        ``("pagure_comment", project, number, body hash)``, ``("git_push", project, branch, sha)``,
        ``("lookaside_upload", package, file, hash)``, ``("pull_request", repository, branch, branch there)``,
        ``("gitlab_status", project, sha, name, state)``, ``("gitlab_note", project, kind, number, body hash)``,
        ``("gitlab_emoji", note, name, user)``, and likewise ``status``, ``issue``, ``reaction``, ``release``,
        ``copr_project``, ``copr_permission``, ``pagure_project``, ``pagure_fork``, ``pagure_issue``, ``gitlab_issue``.
        """
        return self.recorder.effects()

    def reset(self) -> None:
        """Empty again: no repositories, builds, requests, messages, faults, calls. Addresses and secrets stay."""
        self.scheduler.clear()
        self.faults.clear()
        for part in (
            self.github,
            self.copr,
            self.testing_farm,
            self.koji,
            self.pagure,
            self.gitlab,
            self.lookaside,
            self.fasjson,
            self.bus,
        ):
            part.reset()
        self.recorder.clear()
