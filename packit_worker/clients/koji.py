"""Koji, over its own library. Imported by ``services`` only, and only where builds in Koji are wanted.

https://koji.fedoraproject.org/koji/api. The library is the extra ``koji`` of this package: importing this module raises
ImportError where it is not installed.
"""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError

import requests

from packit_worker.clients import http_errors
from packit_worker.clients.caching import Remembered
from packit_worker.clients.kerberos import Kerberos
from packit_worker.errors import NotFound, Refused, TemporaryError, Unanswered
from packit_worker.ports import KojiOrder, KojiTask

__all__ = ["KojiClient", "KojiOrder", "KojiTask"]

# It has no types, and type checkers shall not mind whether it is installed.
koji: Any = import_module("koji")

SYSTEM = "Koji"
#: Seconds for which the list of targets is good.
TARGETS_GOOD_FOR = 3600.0
#: Tasks of ours that are looked at for one that was ordered without an answer.
LOOKED_AT = 200
#: Bytes of an SRPM in one call.
CHUNK = 4 * 1024 * 1024
#: Where the marker of an order is in a task's options: the hub keeps what it finds there with the build.
METADATA, MARKER = "custom_user_metadata", "packit_worker"

#: What koji's words hold where the hub, or the web server before it, takes no ticket of ours.
_DENIED = re.compile(r"HTTPError: 40[13]\b|\bis not authorized\b|AuthError:")

TASK_STATES = ("FREE", "OPEN", "CLOSED", "CANCELED", "ASSIGNED", "FAILED")


class KojiClient:
    """One Koji. Safe to use from several threads: each has its own session.

    It logs in when it first has to: with Kerberos where a ``principal`` or a ``keytab`` is given, with a certificate
    (``cert``) or, for stand-ins, with ``username`` and ``password``. ``serverca`` is whom the hub's own certificate is
    from. ``results_url`` is where logs are. ``timeout`` is in seconds.
    """

    def __init__(
        self,
        *,
        hub_url: str = "https://koji.fedoraproject.org/kojihub",
        web_url: str = "https://koji.fedoraproject.org/koji",
        results_url: str = "https://kojipkgs.fedoraproject.org",
        principal: str | None = None,
        keytab: str | None = None,
        cert: str | None = None,
        serverca: str | None = None,
        username: str | None = None,
        password: str | None = None,
        timeout: float = 60.0,
    ) -> None:
        self._hub_url = hub_url
        self._web_url = web_url.rstrip("/")
        self._results_url = results_url.rstrip("/")
        self._options = {
            # One more attempt is safe: the hub knows each call by its number. It is told with RetryError.
            "max_retries": 1,
            "retry_interval": 1,
            "timeout": timeout,
            "auth_timeout": timeout,
            "user": username,
            "password": password,
            "serverca": serverca,
        }
        kerberos = Kerberos(SYSTEM, principal=principal, keytab=keytab) if principal or keytab else None
        self._log_in = _login(hub_url, kerberos, principal, keytab, cert, serverca, username)
        self._local = threading.local()
        # koji tells Kerberos about the keytab in the environment of the process.
        self._logging_in = threading.Lock()
        self._targets = Remembered(self._list_targets, seconds=TARGETS_GOOD_FOR)

    def targets(self) -> frozenset[str]:
        """Names of the targets that can be built for. One call an hour; the old list while Koji is away."""
        return self._targets.get()

    def build(self, order: KojiOrder) -> KojiTask:
        """Order a build: uploads the SRPM, then one call. Raises Unanswered where its fate is unknown."""
        source = order.source
        if (order.srpm is None) == (source is None):
            raise ValueError("Either an SRPM or a source is needed")
        options: dict[str, Any] = {METADATA: {MARKER: order.marker}}
        if order.scratch:
            options["scratch"] = True
        if order.srpm is not None:
            source = self._upload(order.srpm)
        with self._talking(login=True, write=True) as session:
            task_id = session.build(source, order.target, options)
            if not isinstance(task_id, int):
                raise http_errors.from_nonsense(repr(task_id), system=SYSTEM, write=True)
        return KojiTask(
            id=task_id,
            url=self.task_url(task_id),
            state="FREE",
            target=order.target,
            scratch=order.scratch,
        )

    def find_build(self, order: KojiOrder) -> KojiTask | None:
        """The task that was ordered with this marker, among our newest. Two calls."""
        with self._talking(login=True) as session:
            account = session.getLoggedInUser()["id"]
            asked = {"owner": account, "method": "build", "decode": True}
            listed = session.listTasks(asked, {"order": "-id", "limit": LOOKED_AT})
            for task in listed:
                marked = (_options(task).get(METADATA) or {}).get(MARKER)
                if marked == order.marker and _target(task) == order.target:
                    return self._task(task)
        return None

    def task(self, task_id: int) -> KojiTask:
        """A task with those that build for an architecture. Two calls. Raises NotFound."""
        with self._talking() as session:
            info = session.getTaskInfo(task_id, request=True)
            if info is None:
                raise NotFound(f"{SYSTEM} has no task {task_id}")
            children = session.getTaskChildren(task_id)
            return self._task(info, children)

    def cancel(self, task_id: int) -> None:
        """Cancel a task that has not ended. One call; one that has ended stays as it is. Raises NotFound."""
        with self._talking(login=True, write=True) as session:
            session.cancelTask(task_id)

    def task_url(self, task_id: int) -> str:
        """The task's web page. No call."""
        return f"{self._web_url}/taskinfo?taskID={task_id}"

    def build_url(self, build_id: int) -> str:
        """The web page of a build that is kept. No call."""
        return f"{self._web_url}/buildinfo?buildID={build_id}"

    def log_url(self, arch_task_id: int) -> str:
        """The build log of a task that builds for an architecture. No call."""
        return f"{self._results_url}/work/tasks/{arch_task_id % 10000}/{arch_task_id}/build.log"

    def close(self) -> None:
        """Log this thread's session out and close its connections."""
        session = getattr(self._local, "session", None)
        if session is not None:
            try:
                with self._meaning(write=False):
                    session.logout()
            finally:
                self._forget()

    def _forget(self) -> None:
        """Drop this thread's session, without the logout that koji's object makes when it is cleaned up."""
        session = self._local.__dict__.pop("session", None)
        if session is not None:
            session.setSession(None)
            session.rsession.close()

    def _list_targets(self) -> frozenset[str]:
        with self._talking() as session:
            return frozenset(str(target["name"]) for target in session.getBuildTargets())

    def _upload(self, srpm: Path) -> str:
        """Put an SRPM at the hub; its path there. By hand: koji's own upload leaves the file open."""
        folder = f"cli-build/{time.time():.6f}.{secrets.token_hex(4)}"
        with self._talking(login=True) as session, srpm.open("rb") as file:
            offset = 0
            while (chunk := file.read(CHUNK)) or offset == 0:
                taken = session.callMethod("rawUpload", chunk, offset, folder, srpm.name)
                if int(taken["size"]) != len(chunk):
                    raise http_errors.from_nonsense("an upload was cut off", system=SYSTEM, write=False)
                offset += len(chunk)
                if not chunk:
                    break
        return f"{folder}/{srpm.name}"

    def _task(self, info: Mapping[str, Any], children: list[Mapping[str, Any]] | None = None) -> KojiTask:
        task_id = int(info["id"])
        return KojiTask(
            id=task_id,
            url=self.task_url(task_id),
            state=TASK_STATES[info["state"]],
            target=_target(info),
            scratch=bool(_options(info).get("scratch")),
            arch_tasks={
                str(child["arch"]): int(child["id"])
                for child in children or ()
                if child.get("method") == "buildArch"
            },
        )

    @contextmanager
    def _talking(self, *, login: bool = False, write: bool = False) -> Iterator[Any]:
        session = getattr(self._local, "session", None)
        if session is None:
            session = _Session(self._hub_url, opts=self._options)
            self._local.session = session
        if login and not session.logged_in:
            self._enter(session)
        with self._meaning(write=write):
            yield session

    def _enter(self, session: Any) -> None:
        with self._logging_in, self._meaning(write=False):
            try:
                if not self._log_in(session):
                    raise TemporaryError(f"{SYSTEM} opened no session")
            except (koji.AuthError, koji.PythonImportError) as error:
                words = " ".join(str(error).split())
                is_final = getattr(error, "fromFault", False) or isinstance(error, koji.PythonImportError)
                # koji makes one error of whatever came in between, a connection that broke as well as an answer.
                if is_final or _DENIED.search(words):
                    raise Refused(f"{SYSTEM} let us not in: {words}", answer=words) from error
                raise TemporaryError(f"{SYSTEM} let us not in: {words}") from error

    @contextmanager
    def _meaning(self, *, write: bool) -> Iterator[None]:
        """Turns what goes wrong into our errors."""
        try:
            yield
        except (TemporaryError, NotFound, Refused):
            raise
        except koji.AuthError as error:
            # koji.RetryError among them: the same call came before, and was carried out.
            self._forget()
            said = f"{SYSTEM}'s session has ended: {error}"
            raise (Unanswered if write and isinstance(error, koji.RetryError) else TemporaryError)(
                said
            ) from error
        except (koji.ServerOffline, koji.LockError) as error:
            raise TemporaryError(f"{SYSTEM} is not at work: {error}") from error
        except koji.GenericError as error:
            words = str(error)
            if words.startswith("No such task"):
                raise NotFound(f"{SYSTEM}: {words}") from error
            raise Refused(f"{SYSTEM} refuses: {words}", answer=words) from error
        except koji.xmlrpcplus.Fault as error:
            # An error inside the hub, which then takes back what the call did.
            raise TemporaryError(f"{SYSTEM} failed: {error.faultString}") from error
        except requests.HTTPError as error:
            answer = error.response
            raise http_errors.from_answer(
                answer.status_code, answer.headers, answer.reason or "", system=SYSTEM, write=write
            ) from error
        except requests.RequestException as error:
            raise http_errors.from_failure(error, system=SYSTEM, write=write) from error
        except (KeyError, TypeError, IndexError, ValueError, ExpatError) as error:
            words = f"{type(error).__name__}: {error}"
            raise http_errors.from_nonsense(words, system=SYSTEM, write=write) from error


class _Session(koji.ClientSession):  # type: ignore[misc]
    """Goes nowhere but to the hub: what opens its session there is sent in headers that would go along."""

    def new_session(self) -> None:
        """A session of requests that raises TooManyRedirects instead of following."""
        super().new_session()
        self.rsession.max_redirects = 0


def _login(
    hub_url: str,
    kerberos: Kerberos | None,
    principal: str | None,
    keytab: str | None,
    cert: str | None,
    serverca: str | None,
    username: str | None,
) -> Callable[[Any], bool]:
    """How to log a session in."""

    def log_in(session: Any) -> bool:
        if kerberos is not None:
            # First without the hub, which says of the ticket only that there is none.
            kerberos.negotiation(hub_url)
            return bool(session.gssapi_login(principal=principal, keytab=keytab, ccache=kerberos.cache))
        if cert:
            return bool(session.ssl_login(cert, serverca=serverca))
        if username:
            return bool(session.login())
        raise Refused(f"No account for {SYSTEM} is configured", answer="No account for Koji is configured")

    return log_in


def _options(task: Mapping[str, Any]) -> Mapping[str, Any]:
    """The options of a build, which images and imports have elsewhere or not at all."""
    request = task.get("request")
    found = request[2] if isinstance(request, list) and len(request) == 3 else None
    return found if isinstance(found, dict) else {}


def _target(task: Mapping[str, Any]) -> str | None:
    request = task.get("request")
    found = request[1] if isinstance(request, list) and len(request) == 3 else None
    return found if isinstance(found, str) else None
