"""Operators and their sessions: who is logged in, and whether a form was filled in on one of our pages.

A session is a signed cookie. Its key is made of all that says who is an operator, tokens and the provider of OpenID
Connect: what is changed or taken away there ends every session. Whoever is no operator cannot do anything here, and
gets no such cookie.

The cookie is SameSite=Strict, so that no link on another site is followed as an operator. That includes the way back
from a provider: the page there leads on by itself, and so the next request comes from a page of ours.
"""

from __future__ import annotations

import hmac
import logging
import re
import secrets
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import Flask, current_app, request, session, url_for

from packit_worker.config.service import ServiceConfig
from packit_worker.journal import operators
from packit_worker.web.answers import refuse
from packit_worker.web.body import read_body
from packit_worker.web.door import the_door

log = logging.getLogger(__name__)

#: How long a session lasts, however much it is used.
LIFETIME = timedelta(hours=12)
#: The longest form that is read, in bytes.
_LONGEST_FORM = 16 * 1024
_FORM = "application/x-www-form-urlencoded"
#: A path, with its query: no second slash or backslash, which browsers take for the beginning of a host's name.
_PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")
_LONGEST_PATH = 500
_PURPOSE = b"packit_worker: sessions of operators"


def install(app: Flask, settings: ServiceConfig) -> None:
    """Let an application keep sessions, and its templates know whose this is."""
    app.config.update(
        SECRET_KEY=_key(settings),
        SESSION_COOKIE_NAME="operator",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_SECURE=settings.server_url.startswith("https:"),
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=LIFETIME,
    )

    @app.context_processor
    def known() -> dict[str, Any]:
        return {
            "operator": operator(),
            "form_token": session.get("form"),
            "has_operators": bool(settings.operators or settings.has_single_sign_on),
        }


def operator() -> str | None:
    """The operator whose session this is."""
    if current_app.secret_key is None:
        return None
    name = session.get("name")
    return name if isinstance(name, str) else None


def known(name: str, token: str) -> str | None:
    """The name of the operator whose name and token these are; None if they are nobody's."""
    found = [
        each.name
        for each in the_door().settings.operators
        # every token is looked at, so that the time it takes tells nothing
        if (each.token == token) & (each.name == name)
    ]
    if not found:
        log.warning("somebody has failed to log in")
        return None
    return found[0]


def begin(name: str) -> None:
    """Begin the session of an operator."""
    session.clear()
    session.permanent = True
    session.update(name=name, form=secrets.token_urlsafe(32))


def log_out() -> None:
    """End the session."""
    session.clear()


def watching() -> str:
    """The operator who looks at what only operators may see. Raises 401."""
    name = operator()
    if name is None:
        raise refuse(401, "this is for operators: log in")
    return name


def acting(form: Mapping[str, str]) -> str:
    """The operator who has filled in this form, on one of our pages. Raises 401 and 403."""
    name = watching()
    expected = str(session.get("form"))
    if not hmac.compare_digest(expected.encode(), form.get("form_token", "").encode()):
        raise refuse(403, "this form is of no page of this session: load the page again")
    return name


def record(name: str, action: str, *, outcome: str = "done") -> None:
    """Write down that somebody logged in or out, or tried. Raises JournalUnavailable."""
    the_door().change(
        lambda session: operators.record(session, by=name, action=action, about="session", outcome=outcome)
    )


def local_path(text: str) -> str:
    """The path of a page of ours that somebody wants to see after logging in; for all else that of the dead letters."""
    return text if len(text) <= _LONGEST_PATH and _PATH.fullmatch(text) else url_for("pages.dead")


def read_form() -> dict[str, str]:
    """The form that was sent from one of our pages. Raises 403 if it was sent from another, 415, 413 and 400."""
    check_origin()
    if request.mimetype != _FORM:
        raise refuse(415, f"send a form ({_FORM})")
    body = read_body(request, _LONGEST_FORM)
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=20))
    except ValueError:
        raise refuse(400, "the form cannot be read") from None


def check_origin() -> None:
    """Raise 403 if the browser says that this comes from another site's page; another client need not say anything."""
    origin = request.headers.get("Origin")
    hosts = (request.host, urlsplit(the_door().settings.server_url).netloc)
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none") or (
        origin is not None and urlsplit(origin).netloc not in hosts
    ):
        raise refuse(403, "this was sent from the page of another site")


def _key(settings: ServiceConfig) -> bytes | None:
    says = sorted(f"{each.name}\n{each.token.reveal()}" for each in settings.operators)
    if settings.has_single_sign_on:
        assert settings.oidc.client_secret is not None
        # a Secret shows itself as stars
        says += [repr(settings.oidc), settings.oidc.client_secret.reveal()]
    return hmac.digest("\0".join(says).encode(), _PURPOSE, sha256) if says else None
