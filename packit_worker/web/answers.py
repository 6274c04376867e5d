"""How the web answers: decisions and errors as JSON for programs, errors as pages for people; headers on all of it."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import quote

from flask import Flask, Response, jsonify, render_template, request
from werkzeug.exceptions import HTTPException, InternalServerError, ServiceUnavailable, default_exceptions
from werkzeug.wrappers import Response as BaseResponse

from packit_worker import metrics, sentry
from packit_worker.intake import Decision
from packit_worker.journal import JournalUnavailable
from packit_worker.web.door import the_door

log = logging.getLogger(__name__)

#: When to come back while the database is away, in seconds.
RETRY_AFTER = 10

_POLICY = "; ".join(
    (
        "default-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "object-src 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def decided(decision: Decision) -> tuple[Response, int]:
    """Tell the sender what was decided, and where to read more."""
    url = f"{the_door().settings.server_url.rstrip('/')}/deliveries/{quote(decision.delivery_id, safe=':')}"
    log.info("delivery %s: %s%s", decision.delivery_id, decision.decision, _because(decision.reason))
    answer = jsonify(
        decision=decision.decision, reason=decision.reason, delivery=decision.delivery_id, details=url
    )
    return answer, 202


def _because(reason: str | None) -> str:
    return f" ({reason})" if reason else ""


def refuse(status: int, reason: str) -> HTTPException:
    """An error to raise: ``reason`` is what the sender reads."""
    error = default_exceptions[status](reason)
    assert isinstance(error, HTTPException)
    return error


def install(app: Flask, *, is_https: bool) -> None:
    """Put error answers and headers on every route of an application."""
    headers = dict(_HEADERS)
    if is_https:
        headers["Strict-Transport-Security"] = "max-age=31536000"

    @app.errorhandler(JournalUnavailable)
    def unavailable(error: JournalUnavailable) -> BaseResponse:
        log.error("the journal cannot be asked: %s", error)
        return _error(
            ServiceUnavailable("the database does not answer: send this again", retry_after=RETRY_AFTER)
        )

    @app.errorhandler(HTTPException)
    def expected(error: HTTPException) -> BaseResponse:
        return _error(error)

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> BaseResponse:
        log.exception("a request has met a bug", exc_info=error)
        sentry.report(error, f"web.{request.endpoint}")
        return _error(InternalServerError("something is broken here; it has been written down"))

    @app.after_request
    def with_headers(response: Response) -> Response:
        for name, value in headers.items():
            response.headers[name] = value
        if request.endpoint != "static":
            response.headers.setdefault("Cache-Control", "no-store")
        return response


def _problems(error: HTTPException) -> dict[str, Any]:
    """What the API has found wrong with the parameters of a request: parameter -> texts."""
    found = getattr(error, "data", None)
    messages = found.get("messages") if isinstance(found, dict) else None
    if not isinstance(messages, dict):
        return {}
    return {"problems": messages.get("query", messages)}


def _error(error: HTTPException) -> BaseResponse:
    # Redirects and the like are answers of their own.
    if error.code is None or error.code < 400:
        return error.get_response(request.environ)
    if request.method == "POST" and request.blueprint not in (None, "pages"):
        source = str(request.blueprint).replace("_", "-")
        # Those who deliver webhooks; of what they sent nothing is known to be true.
        metrics.webhook_requests.labels(source, "unknown", str(error.code)).inc()
    if request.path == "/api" or request.path.startswith("/api/"):
        problems = _problems(error)
        reason = "the request is not as the API's description says" if problems else error.description
        response = jsonify(error=error.name, reason=reason, **problems)
    else:
        response = Response(render_template("error.html", error=error))
    response.status_code = error.code
    for name, value in error.get_headers(request.environ):
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response
