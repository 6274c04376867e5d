"""Who calls the hub of the stand-in for Koji, and in which order. Used inside the sandbox only."""

from flask import Response, request

from packit_worker.sandbox.koji_state import AUTH, EXPIRED, RETRY, SEQUENCE, KojiFault, KojiState, Session

VERSION = "1.35.2"


def said(text: str) -> Response:
    """An answer in XML."""
    return Response(text, mimetype="text/xml", headers={"Koji-Version": VERSION})


def _told(header: str, name: str) -> str | None:
    return request.headers.get(header) or request.args.get(name)


def callnum_of() -> int | None:
    """The number of the call in its session."""
    told = _told("Koji-Session-Callnum", "callnum")
    return int(told) if told is not None else None


def session_of(state: KojiState, *, logging_in: bool = False) -> Session | None:
    """The session of the request. Raises KojiFault: a call is carried out once, as in the real hub.

    An expired one may only be told when somebody logs in again.
    """
    number = _told("Koji-Session-Id", "session-id")
    if number is None:
        return None
    session = state.sessions.get(int(number))
    if session is None or session.key != _told("Koji-Session-Key", "session-key"):
        raise KojiFault("Invalid session or bad credentials", AUTH)
    if session.expired and logging_in:
        return None
    if session.expired:
        raise KojiFault(f'session "{session.id}" has expired', EXPIRED)
    callnum = callnum_of()
    if callnum is None:
        raise KojiFault("Callnum not present in session", AUTH)
    if session.callnum is not None and callnum < session.callnum:
        raise KojiFault(f"{callnum} > {session.callnum} (session {session.id})", SEQUENCE)
    if callnum == session.callnum:
        raise KojiFault(f"unable to retry call {callnum} for session {session.id}", RETRY)
    return session
