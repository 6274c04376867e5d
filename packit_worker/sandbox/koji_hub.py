"""The XML-RPC hub of the stand-in for Koji, as koji.ClientSession speaks with it. Used inside the sandbox only.

Source: https://koji.fedoraproject.org/koji/api and https://pagure.io/koji (kojihub). Keyword arguments come as a last
dictionary with ``__starstar``; a session is told in headers or in the query.

Logins: `login` with name and password; `sslLogin`, which in the real hub asks for a certificate or Kerberos, lets in
the sandbox's own user, since there is no TLS here.
"""

import base64
import inspect
import re
import xmlrpc.client
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from xml.parsers.expat import ExpatError

from flask import Flask, Response, request

from packit_worker.sandbox.koji_gate import VERSION, callnum_of, said, session_of
from packit_worker.sandbox.koji_json import build_shape, target_shape, task_shape, user_shape
from packit_worker.sandbox.koji_state import (
    AUTH,
    FINISHED,
    GENERIC,
    NOT_ALLOWED,
    PARAMETER,
    TASK_STATES,
    KojiBuild,
    KojiFault,
    KojiTask,
    KojiUser,
    Session,
)

if TYPE_CHECKING:
    from packit_worker.sandbox.koji import Koji

LOGINS = ("login", "sslLogin")
Method = Callable[..., Any]


def add_routes(app: Flask, koji: "Koji") -> None:
    """Add the hub to `app`."""

    @app.post("/kojihub")
    @app.post("/kojihub/")
    @app.post("/kojihub/ssllogin")
    def call() -> Response:
        try:
            arguments, name = _read()
            session = session_of(koji.state, logging_in=name in LOGINS)
            answer = Hub(koji, session).call(name, arguments)
            if session is not None:
                session.callnum = callnum_of()
            return said(xmlrpc.client.dumps((answer,), methodresponse=True, allow_none=True))
        except KojiFault as fault:
            return said(xmlrpc.client.dumps(xmlrpc.client.Fault(fault.code, fault.message)))


def _read() -> tuple[tuple[Any, ...], str]:
    """The arguments and the name of the method that is called. Raises KojiFault."""
    if request.mimetype == "application/octet-stream":
        return (request.args.to_dict(), request.get_data()), "rawUpload"
    try:
        arguments, name = xmlrpc.client.loads(request.get_data(), use_builtin_types=True)
    except (xmlrpc.client.Error, ExpatError, ValueError):
        raise KojiFault("The request cannot be read") from None
    return arguments, name or ""


class Hub:
    """The methods of the hub, for one call."""

    def __init__(self, koji: "Koji", session: Session | None) -> None:
        self._koji = koji
        self._state = koji.state
        self._session = session

    def call(self, name: str, arguments: tuple[Any, ...]) -> Any:
        """Carry out a method. Raises KojiFault."""
        method: Method | None = getattr(self, f"do_{snake(name)}", None)
        if method is None:
            raise KojiFault(f"Invalid method: {name}")
        positional, named = list(arguments), {}
        if positional and isinstance(positional[-1], dict) and positional[-1].get("__starstar"):
            named = {snake(key): value for key, value in positional.pop().items() if key != "__starstar"}
        try:
            inspect.signature(method).bind(*positional, **named)
        except TypeError as error:
            raise KojiFault(f"{name}: {error}", PARAMETER) from None
        return method(*positional, **named)

    def _user(self) -> KojiUser:
        if self._session is None:
            raise KojiFault("you must be logged in for this operation", NOT_ALLOWED)
        return self._session.user

    # sessions

    def do_get_apiversion(self) -> int:
        return 1

    def do_get_koji_version(self) -> str:
        return VERSION

    def do_hello(self, *_: Any) -> str:
        return "Hello World"

    def do_login(self, username: str, password: str, opts: Any = None, **_: Any) -> dict[str, Any]:
        user = self._state.users.get(username)
        if user is None or user.password != password:
            raise KojiFault("invalid username or password", AUTH)
        return self._logged_in(user)

    def do_ssl_login(self, proxyuser: Any = None, **_: Any) -> dict[str, Any]:
        return self._logged_in(self._state.users[self._koji.username])

    def _logged_in(self, user: KojiUser) -> dict[str, Any]:
        session = self._koji.new_session(user)
        return {"session-id": session.id, "session-key": session.key, "header-auth": True}

    def do_logout(self, session_id: Any = None) -> None:
        if self._session is not None:
            self._state.sessions.pop(self._session.id, None)

    def do_get_logged_in_user(self) -> dict[str, Any] | None:
        return None if self._session is None else user_shape(self._session.user)

    def do_get_user(self, user_info: Any = None, strict: bool = False, **_: Any) -> dict[str, Any] | None:
        if user_info is None:
            return user_shape(self._user())
        for user in self._state.users.values():
            if user_info in (user.name, user.id):
                return user_shape(user)
        if strict:
            raise KojiFault(f"No such user: {user_info!r}")
        return None

    def do_multi_call(self, calls: list[dict[str, Any]]) -> list[Any]:
        answers: list[Any] = []
        for one in calls:
            try:
                answers.append([self.call(one["methodName"], tuple(one.get("params") or ()))])
            except KojiFault as fault:
                answers.append({"faultCode": fault.code, "faultString": fault.message, "traceback": []})
        return answers

    # uploads

    def do_raw_upload(self, about: dict[str, str], data: bytes) -> dict[str, Any]:
        """Take a part of a file, which came as it is and not in XML. Raises KojiFault."""
        self._user()
        path = f"{about['filepath']}/{about['filename']}"
        offset = int(about.get("offset", 0))
        before = b"" if offset == 0 else self._state.uploads.get(path, b"")
        if offset != len(before):
            raise KojiFault(f"incorrect offset: {offset}")
        self._state.uploads[path] = before + data
        return {"size": len(data), "hexdigest": f"{zlib.adler32(data):08x}"}

    def do_upload_file(
        self, path: str, name: str, size: int, md5sum: Any, offset: int, data: str, **_: Any
    ) -> bool:
        content = base64.b64decode(data)
        if offset != -1:
            self.do_raw_upload({"filepath": path, "filename": name, "offset": str(offset)}, content)
        return True

    def do_check_upload(self, path: str, name: str, verify: Any = None, **_: Any) -> dict[str, Any] | None:
        self._user()
        found = self._state.uploads.get(f"{path}/{name}")
        if found is None:
            return None
        answer: dict[str, Any] = {"size": str(len(found)), "mtime": 0}
        return answer | ({"hexdigest": f"{zlib.adler32(found):08x}"} if verify else {})

    # targets

    def do_get_build_targets(self, info: Any = None, **_: Any) -> list[dict[str, Any]]:
        found = self._state.targets.values()
        return [target_shape(one) for one in found if info in (None, one.id, one.name)]

    def do_get_build_target(
        self, info: Any, event: Any = None, strict: bool = False
    ) -> dict[str, Any] | None:
        found = self.do_get_build_targets(info)
        if not found and strict:
            raise KojiFault(f"No such build target: {info!r}")
        return found[0] if found else None

    # tasks

    def do_build(
        self,
        src: str,
        target: str,
        opts: dict[str, Any] | None = None,
        priority: Any = None,
        channel: Any = None,
    ) -> int:
        user = self._user()
        if src.endswith(".src.rpm") and src not in self._state.uploads:
            raise KojiFault(f"No such file: {src}")
        if priority is not None and priority < 0 and not user.admin:
            raise KojiFault("only admins may create high-priority tasks", NOT_ALLOWED)
        return self._koji.create(user, src, target, dict(opts or {})).id

    def do_get_task_info(self, task_id: Any, request: bool = False, strict: bool = False) -> Any:
        if isinstance(task_id, list):
            return [self.do_get_task_info(one, request, strict) for one in task_id]
        if task_id not in self._state.tasks and not strict:
            return None
        return task_shape(self._state.task(task_id), request=request)

    def do_get_task_children(self, task_id: int, request: bool = False, strict: bool = False) -> list[Any]:
        if task_id not in self._state.tasks and not strict:
            return []
        return [task_shape(child, request=request) for child in self._state.task(task_id).children]

    def do_get_task_descendents(self, task_id: int, request: bool = False) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        left = [self._state.task(task_id)]
        while left:
            task = left.pop()
            found[str(task.id)] = [task_shape(child, request=request) for child in task.children]
            left += task.children
        return found

    def do_get_task_result(self, task_id: int, raise_fault: bool = True) -> Any:
        task = self._state.task(task_id)
        if task.state not in FINISHED:
            raise KojiFault(f"Task {task_id} is {task.state.lower()}", GENERIC)
        if isinstance(task.result, KojiFault):
            if raise_fault:
                raise task.result
            return {"faultCode": task.result.code, "faultString": task.result.message}
        return task.result

    def do_list_tasks(
        self, opts: dict[str, Any] | None = None, query_opts: dict[str, Any] | None = None
    ) -> Any:
        wanted = opts or {}
        found = [task for task in self._state.tasks.values() if _fits(task, wanted)]
        shapes = [task_shape(task, request=bool(wanted.get("decode"))) for task in found]
        return _queried(shapes, query_opts or {})

    def do_cancel_task(self, task_id: int, recurse: bool = True) -> None:
        user, task = self._user(), self._state.task(task_id)
        if task.owner is not user and not user.admin:
            raise KojiFault("Cannot cancel task, not owner", NOT_ALLOWED)
        self._koji.cancel(task_id)

    def do_list_task_output(self, task_id: int, **_: Any) -> list[str]:
        task = self._state.task(task_id)
        names = ("build.log", "root.log", "state.log", "mock_output.log")
        return list(names) if task.method == "buildArch" and task.started else []

    # builds

    def do_get_build(self, build_info: Any, strict: bool = False) -> dict[str, Any] | None:
        found: KojiBuild | None = None
        if isinstance(build_info, dict):
            build_info = "-".join(str(build_info.get(part)) for part in ("name", "version", "release"))
        if isinstance(build_info, int):
            found = self._state.builds.get(build_info)
        elif isinstance(build_info, str):
            found = self._state.build_named(build_info)
        if found is None and strict:
            raise KojiFault(f"No such build: {build_info!r}")
        return build_shape(found) if found else None

    def do_get_package_id(self, name: str, strict: bool = False) -> int | None:
        for build in self._state.builds.values():
            if build.name == name:
                return int(build_shape(build)["package_id"])
        if strict:
            raise KojiFault(f"No such package: {name}")
        return None

    def do_list_builds(
        self,
        package_id: Any = None,
        user_id: Any = None,
        task_id: Any = None,
        state: Any = None,
        query_opts: dict[str, Any] | None = None,
        **_: Any,
    ) -> Any:
        shapes = [
            shape
            for shape in map(build_shape, self._state.builds.values())
            if package_id in (None, shape["package_id"], shape["name"])
            and user_id in (None, shape["owner_id"], shape["owner_name"])
            and task_id in (None, shape["task_id"])
            and state in (None, shape["state"])
        ]
        return _queried(shapes, query_opts or {})


def _fits(task: KojiTask, wanted: dict[str, Any]) -> bool:
    """Whether a task is among those asked for: by owner, method, state, parent, age."""

    def among(name: str, *values: Any) -> bool:
        asked = wanted.get(name)
        choices = asked if isinstance(asked, list) else [asked]
        return asked is None or any(value in choices for value in values)

    return (
        among("owner", task.owner.id, task.owner.name)
        and among("method", task.method)
        and among("arch", task.arch)
        and among("state", TASK_STATES.index(task.state))
        and ("parent" not in wanted or wanted["parent"] == (task.parent.id if task.parent else None))
        and task.created >= float(wanted.get("createdAfter") or 0)
    )


def _queried(shapes: list[dict[str, Any]], options: dict[str, Any]) -> Any:
    if options.get("countOnly"):
        return len(shapes)
    order = str(options.get("order") or "")
    if order:
        shapes.sort(key=lambda shape: shape[order.lstrip("-")], reverse=order.startswith("-"))
    first = int(options.get("offset") or 0)
    limit = options.get("limit")
    return shapes[first : None if limit is None else first + int(limit)]


def snake(name: str) -> str:
    """A name of Koji's in the way names are written here: ``getTaskInfo`` -> ``get_task_info``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
