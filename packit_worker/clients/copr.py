"""Copr behind ``ports.Copr``, over copr.v3. Imported by ``services`` only.

https://python-copr.readthedocs.io/en/latest/client_v3.html, https://copr.fedorainfracloud.org/api_3/docs
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import copr.v3
from copr.v3.requests import GET, PUT, Request, handle_errors

from packit_worker.clients import http_errors
from packit_worker.clients.budget import Budget
from packit_worker.clients.caching import Remembered
from packit_worker.clients.http import Http
from packit_worker.errors import NotFound, Refused
from packit_worker.ports import CoprBuild, CoprOrder, CoprProject

SYSTEM = "Copr"
#: Seconds for which the list of chroots is good.
CHROOTS_GOOD_FOR = 3600.0
#: Builds of a project that are looked at for one that was ordered without an answer. One call each.
LOOKED_AT = 40
#: https://pagure.io/copr/copr/blob/main/f/common/copr_common/enums.py: the states that do not change any more
FINAL_STATES = frozenset({"succeeded", "failed", "canceled", "skipped", "forked"})


class CoprClient:
    """One Copr. Safe to use from several threads.

    ``url`` is that of its web pages, ``results_url`` that of its results (by default ``/results`` on the host
    ``download.<its own>``, as in Fedora). ``login`` and ``token`` are those of its page ``/api``. ``timeout`` is in
    seconds.
    """

    def __init__(
        self,
        *,
        url: str,
        username: str,
        login: str,
        token: str,
        results_url: str | None = None,
        timeout: float = 30.0,
        budget: Budget | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self._account = username
        self._has_token = bool(token)
        self._results_url = (results_url or _results_url(self._url)).rstrip("/")
        self._client = copr.v3.Client(
            {"copr_url": self._url, "username": username, "login": login, "token": token}
        )
        requests = _Requests(
            Http(
                SYSTEM,
                f"{self._url}/api_3",
                timeout=timeout,
                secrets=(token, login),
                words=_words,
                budget=budget,
            )
        )
        for proxy in vars(self._client).values():
            if hasattr(proxy, "request"):
                proxy.request = requests
        self._chroots = Remembered(self._list_chroots, seconds=CHROOTS_GOOD_FOR)
        self._editing = threading.Lock()

    @property
    def account(self) -> str:
        """The account the service works as."""
        return self._account

    def available_chroots(self) -> frozenset[str]:
        """Names of the chroots that Copr can build in. One call an hour; the old list while Copr is away."""
        return self._chroots.get()

    def ensure_project(self, project: CoprProject) -> None:
        """Create the project, or add what it lacks. One call if nothing is to be done, two otherwise.

        One call more, or two, for each chroot with settings. Chroots, repositories and the lists of a chroot are only
        added to; what else an owner has set up stays. Raises Refused where we may not change the project.
        """
        self._need_token()
        # Copr's edit replaces whole lists, so two threads that add a chroot must not do it at the same time.
        with self._editing:
            try:
                found = self._client.project_proxy.get(project.owner, project.name)
            except NotFound:
                found = self._add(project)
            changes = _changes(project, found)
            if changes:
                self._client.project_proxy.edit(project.owner, project.name, **changes)
            for chroot, settings in project.chroot_settings.items():
                self._set_up(project, chroot, settings)

    def build(self, order: CoprOrder) -> CoprBuild:
        """Order a build. One call. The marker has to be in the script already."""
        self._need_token()
        options: dict[str, Any] = {"chroots": list(order.chroots), "enable_net": order.enable_net}
        if order.timeout is not None:
            options["timeout"] = order.timeout
        made = self._client.build_proxy.create_from_custom(
            order.owner,
            order.project,
            order.script,
            script_chroot=order.script_chroot,
            script_builddeps=list(order.script_builddeps),
            buildopts=options,
        )
        if not made.get("id"):
            raise http_errors.from_nonsense("a build without id", system=SYSTEM, write=True)
        return self._build(made)

    def find_build(self, order: CoprOrder) -> CoprBuild | None:
        """The build whose script holds the marker. One call, and one for each of the newest builds it may be."""
        try:
            listed = self._client.build_proxy.get_list(
                order.owner,
                order.project,
                pagination={"limit": 100, "order": "id", "order_type": "DESC"},
            )
        except NotFound:
            return None
        wanted = set(order.chroots)
        likely = [
            build
            for build in sorted(listed, key=lambda build: build["id"], reverse=True)
            if build.get("submitter") in (None, self._account)
            and set(build.get("chroots") or wanted) == wanted
        ]
        for build in likely[:LOOKED_AT]:
            source = self._client.build_proxy.get_source_build_config(build["id"])
            script = (source.get("source_dict") or {}).get("script") or ""
            if order.marker in script:
                return self._build(build)
        return None

    def get_build(self, build_id: int) -> CoprBuild:
        """A build with the state of each chroot. Two calls. Raises NotFound."""
        build = self._client.build_proxy.get(build_id)
        chroots = self._client.build_chroot_proxy.get_list(build_id)
        return self._build(build, {chroot["name"]: chroot["state"] for chroot in chroots})

    def cancel_build(self, build_id: int) -> None:
        """Cancel a build that has not ended. One call; two for one that has, which stays as it is."""
        self._need_token()
        try:
            self._client.build_proxy.cancel(build_id)
        except Refused:
            if self._client.build_proxy.get(build_id).get("state") not in FINAL_STATES:
                raise

    def build_url(self, build_id: int) -> str:
        """The build's web page. No call."""
        return f"{self._url}/coprs/build/{build_id}"

    def log_url(self, build: CoprBuild, chroot: str) -> str:
        """The build log of one chroot; that of the SRPM while there is no package. No call."""
        results = f"{self._results_url}/{build.owner}/{build.project}"
        if build.package is None:
            return f"{results}/srpm-builds/{build.id:08d}/builder-live.log.gz"
        return f"{results}/{chroot}/{build.id:08d}-{build.package}/builder-live.log.gz"

    def _need_token(self) -> None:
        """Without one, copr.v3 fails before it asks, in words that hold what there is of login and token."""
        if not self._has_token:
            raise Refused(f"No token for {self._url} is configured", answer="No token for Copr is configured")

    def _add(self, project: CoprProject) -> Mapping[str, Any]:
        try:
            added: Mapping[str, Any] = self._client.project_proxy.add(
                project.owner,
                project.name,
                list(project.chroots),
                description=project.description or None,
                instructions=project.instructions or None,
                additional_repos=list(project.additional_repos),
                unlisted_on_hp=project.unlisted_on_hp,
                enable_net=project.enable_net,
                delete_after_days=project.delete_after_days,
                bootstrap=project.bootstrap,
                module_hotfixes=project.module_hotfixes,
                # Chroots come from the package's configuration, so Copr shall not add any by itself.
                follow_fedora_branching=False,
                # Another worker may have been quicker: then the answer is the project as it is.
                exist_ok=True,
            )
        except Refused as error:
            if "already" not in error.answer:
                raise
            added = self._client.project_proxy.get(project.owner, project.name)
        return added

    def _set_up(self, project: CoprProject, chroot: str, settings: Mapping[str, tuple[str, ...]]) -> None:
        """Add to the lists of a chroot what they lack."""
        proxy = self._client.project_chroot_proxy
        found = proxy.get(project.owner, project.name, chroot)
        changes: dict[str, list[str]] = {}
        for name, wanted in settings.items():
            there = list(found.get(name) or ())
            if missing := [one for one in wanted if one not in there]:
                changes[name] = there + missing
        if changes:
            # By hand: copr.v3 would send a form of files, which waits for ever.
            proxy.request.send(
                "/project-chroot/edit/{ownername}/{projectname}/{chrootname}",
                method=PUT,
                params={"ownername": project.owner, "projectname": project.name, "chrootname": chroot},
                data=changes,
                auth=proxy.auth,
            )

    def _list_chroots(self) -> frozenset[str]:
        names = self._client.mock_chroot_proxy.get_list()
        return frozenset(name for name in names if not name.startswith("_"))

    def _build(self, build: Mapping[str, Any], states: Mapping[str, str] | None = None) -> CoprBuild:
        state = build.get("state") or ""
        return CoprBuild(
            id=int(build["id"]),
            url=self.build_url(build["id"]),
            owner=build.get("ownername") or "",
            project=build.get("projectname") or "",
            state=state,
            package=(build.get("source_package") or {}).get("name"),
            chroots=states if states is not None else dict.fromkeys(build.get("chroots") or (), state),
        )


class _Requests(Request):  # type: ignore[misc]
    """copr's way to its server with our time-outs and errors; its own waits for ever and drops what went wrong."""

    def __init__(self, http: Http) -> None:
        super().__init__(api_base_url=http.base_url)
        self._http = http

    def send(
        self,
        endpoint: str,
        method: str = GET,
        data: Any = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: Any = None,
    ) -> Any:
        write = method.upper() != GET
        if auth is not None:
            auth.make()
        response = self._http.call(
            method,
            endpoint.strip("/").format(**(params or {})),
            write=write,
            params=params,
            json=data,
            headers=headers,
            auth=auth.auth if auth is not None else None,
        )
        try:
            handle_errors(response)
        except copr.v3.CoprException as error:
            raise http_errors.from_nonsense(
                self._http.hide(str(error)), system=SYSTEM, write=write
            ) from error
        return response


def _changes(wanted: CoprProject, found: Mapping[str, Any]) -> dict[str, Any]:
    """What to edit in the project as it was found; nothing when it has all that is wanted."""
    changes: dict[str, Any] = {}
    chroots = list((found.get("chroot_repos") or {}).keys())
    if missing := [chroot for chroot in wanted.chroots if chroot not in chroots]:
        changes["chroots"] = chroots + missing
    repositories = list(found.get("additional_repos") or ())
    if missing := [repository for repository in wanted.additional_repos if repository not in repositories]:
        changes["additional_repos"] = repositories + missing
    if wanted.bootstrap is not None and found.get("bootstrap") != wanted.bootstrap:
        changes["bootstrap"] = wanted.bootstrap
    if wanted.module_hotfixes and not found.get("module_hotfixes"):
        changes["module_hotfixes"] = True
    return changes


def _results_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https":
        return f"{url}/results"
    return f"https://download.{parts.netloc}/results"


def _words(body: Any) -> str:
    """Copr's message: one, or one for each field of a form."""
    said = body["error"]
    if isinstance(said, dict):
        return "; ".join(f"{field}: {why}" for field, why in said.items())
    if isinstance(said, list):
        return "; ".join(str(why) for why in said)
    return str(said)
