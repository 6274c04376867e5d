"""Logging in with OpenID Connect: to the provider, and back from it."""

from __future__ import annotations

import hmac
import logging
import re
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Flask, after_this_request, current_app, redirect, render_template, request
from werkzeug.exceptions import ServiceUnavailable
from werkzeug.wrappers import Response

from packit_worker.config.service import ServiceConfig
from packit_worker.web import sessions, throttle
from packit_worker.web.answers import RETRY_AFTER, refuse
from packit_worker.web.door import the_door
from packit_worker.web.oidc import Login, LoginRefused, Person, Provider, ProviderAway
from packit_worker.web.pages.routes import blueprint

log = logging.getLogger(__name__)

_KEY = "packit_worker.provider"
#: Keeps in the browser what belongs to a login under way. Not signed: whoever could put a forged one into another's
#: browser could as well put one there that we have made; and it is worth nothing without the answer of the provider.
_COOKIE = "login"
_PATH = "/login/oidc"
#: Seconds that a person has for logging in at the provider.
_PATIENCE = 600
_RANDOM = re.compile(r"[A-Za-z0-9._~-]{16,128}")


@blueprint.get("/login/oidc", endpoint="log_in_elsewhere")
def begin() -> Response:
    """Send a person to the provider; ``?next=`` is the page of ours that they want to see afterwards.

    A link and no form: it changes nothing, and a form could not lead to another site (see the policy in ``answers``).
    """
    provider = _provider()
    sessions.check_origin()
    throttle.count_attempt()
    try:
        url, login = provider.begin()
    except ProviderAway as error:
        raise _unavailable(error) from None
    answer = redirect(url, 303)
    following = sessions.local_path(request.args.get("next", ""))
    answer.set_cookie(
        _COOKIE,
        urlencode(asdict(login) | {"next": following}),
        max_age=_PATIENCE,
        path=_PATH,
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        # The way back is a link on another site: with Strict the cookie would not come along.
        samesite="Lax",
    )
    return answer


@blueprint.get("/login/oidc/callback")
def callback() -> str:
    """Where the provider sends a person back to: begins the session of an operator."""
    provider = _provider()
    login, following = _under_way()
    throttle.count_attempt()
    after_this_request(_forget)
    person = _vouched_for(provider, login)
    config = provider.config
    name = f"{person.name} ({config.host})"
    if person.name not in config.people and not person.groups & set(config.groups):
        log.warning("%s, account %s, has logged in and is no operator", name, person.subject)
        sessions.record(name, "log in", outcome="refused: no operator")
        raise refuse(403, f"you are {name}, and no operator of this service: its configuration says who is")
    log.info("%s, account %s, has logged in", name, person.subject)
    sessions.record(name, "log in")
    sessions.begin(name)
    return render_template("logged_in.html", following=following, name=name)


def install(app: Flask, settings: ServiceConfig) -> None:
    """Let an application's views find the provider of its settings, if there is one."""
    if settings.has_single_sign_on:
        redirect_uri = f"{settings.server_url.rstrip('/')}{_PATH}/callback"
        app.extensions[_KEY] = Provider(settings.oidc, redirect_uri, settings.limits.http_timeout)


def _provider() -> Provider:
    provider = current_app.extensions.get(_KEY)
    if provider is None:
        raise refuse(404, "the configuration names no provider of OpenID Connect (oidc)")
    assert isinstance(provider, Provider)
    return provider


def _under_way() -> tuple[Login, str]:
    """The login that this browser has begun, and where it wants to go afterwards. Raises 400."""
    try:
        kept = dict(parse_qsl(request.cookies.get(_COOKIE, ""), max_num_fields=5))
    except ValueError:
        kept = {}
    following = kept.pop("next", "")
    told = request.args.get("state", "")
    if (
        kept.keys() != {"state", "nonce", "code_verifier"}
        or not all(map(_RANDOM.fullmatch, kept.values()))
        or not hmac.compare_digest(kept["state"].encode(), told.encode("utf-8", "replace"))
    ):
        url = the_door().settings.server_url
        raise refuse(400, f"this browser has begun no such login, or too long ago: log in again, at {url}")
    return Login(**kept), sessions.local_path(following)


def _vouched_for(provider: Provider, login: Login) -> Person:
    """Whom the provider vouches for in this request. Raises 401 and 503."""
    try:
        return provider.finish(login, request.args)
    except LoginRefused as error:
        log.warning("somebody has failed to log in: %s", error)
        raise refuse(401, str(error)) from None
    except ProviderAway as error:
        raise _unavailable(error) from None


def _unavailable(error: ProviderAway) -> ServiceUnavailable:
    also = ", or log in with a token" if the_door().settings.operators else ""
    return ServiceUnavailable(f"{error}: try again later{also}", retry_after=RETRY_AFTER)


def _forget(response: Any) -> Any:
    response.delete_cookie(_COOKIE, path=_PATH)
    return response
