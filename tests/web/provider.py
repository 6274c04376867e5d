"""A provider of OpenID Connect, over HTTP: discovery, authorization with PKCE, tokens, keys and user info.

As https://openid.net/specs/openid-connect-core-1_0.html has it; and at a test's wish it lies in one thing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, jsonify, redirect, request
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from werkzeug.serving import make_server

CLIENT_ID, CLIENT_SECRET = "packit-worker", "a secret that the provider has made"
PATH = "/openidc/"
#: Of the browser's point of view another site than 127.0.0.1.
HOST = "localhost"


@dataclass
class Provider:
    """The provider while the context lasts. ``accounts`` maps those who have one to their groups."""

    redirect_uri: str = ""
    accounts: dict[str, list[str]] = field(default_factory=lambda: {"alice": ["packit"], "bob": ["others"]})
    #: Over what is true: of the description, of the ID token, of the user info. None leaves a claim out.
    description: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    info: dict[str, Any] = field(default_factory=dict)
    #: Whether name and groups stand in the user info alone, as with Fedora's provider.
    tells_in_info: bool = False
    #: Who signs ID tokens: the provider ("own"), somebody else under its key's id ("stranger"), nobody ("none"), or
    #: whoever knows the public key ("public", HS256).
    signer: str = "own"
    #: The status with which everything is answered, if any.
    broken: int | None = None
    #: What was asked for, oldest first: the last part of each path.
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._key = RSAKey.generate_key(2048, parameters={"kid": "first"})
        self._stranger = RSAKey.generate_key(2048, parameters={"kid": "first"})
        self._codes: dict[str, dict[str, str]] = {}
        self._tokens: dict[str, str] = {}
        self._server = make_server("127.0.0.1", 0, self._app(), threaded=True)

    def __enter__(self) -> Provider:
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Go away: connections are refused from now on."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def issuer(self) -> str:
        """What it calls itself, with a slash at the end."""
        return f"http://{HOST}:{self._server.port}{PATH}"

    def settings(self, **more: Any) -> dict[str, Any]:
        """The section ``oidc`` of a service that uses it."""
        known = {"issuer": self.issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        return known | {"groups": ["packit"]} | more

    def new_key(self) -> None:
        """Sign with another key from now on, and have only that among the keys."""
        self._key = RSAKey.generate_key(2048, parameters={"kid": secrets.token_hex(4)})

    def _app(self) -> Flask:
        app = Flask("provider")

        @app.before_request
        def note() -> Response | None:
            self.asked.append(request.path.rpartition("/")[2])
            return Response("no", self.broken) if self.broken else None

        app.add_url_rule(f"{PATH}.well-known/openid-configuration", view_func=self._described)
        app.add_url_rule(f"{PATH}authorize", view_func=self._authorize)
        app.add_url_rule(f"{PATH}token", view_func=self._token, methods=["POST"])
        app.add_url_rule(f"{PATH}keys", view_func=self._keys)
        app.add_url_rule(f"{PATH}userinfo", view_func=self._user_info)
        return app

    def _described(self) -> Response:
        here = self.issuer
        return jsonify(
            {
                "issuer": here,
                "authorization_endpoint": f"{here}authorize",
                "token_endpoint": f"{here}token",
                "jwks_uri": f"{here}keys",
                "userinfo_endpoint": f"{here}userinfo",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["none", "HS256", "RS256"],
                **self.description,
            }
        )

    def _authorize(self) -> Response:
        asked = request.args.to_dict()
        good = (
            asked.get("client_id") == CLIENT_ID
            and asked.get("redirect_uri") == self.redirect_uri
            and asked.get("response_type") == "code"
            and "openid" in asked.get("scope", "").split()
            and asked.get("code_challenge_method") == "S256"
            and len(asked.get("code_challenge", "")) == 43
            and asked.get("nonce")
        )
        if not good:
            return Response(f"this provider was asked wrongly: {asked}", 400)
        account = asked.pop("account", None)
        if account is None:
            links = "".join(
                f'<a href="?{urlencode(asked | {"account": name})}">{name}</a> '
                for name in (*self.accounts, "nobody")
            )
            return Response(f"<!doctype html><title>Who are you?</title>{links}")
        state = {"state": asked["state"]} if "state" in asked else {}
        if account not in self.accounts:
            return _back(self.redirect_uri, {"error": "access_denied", **state})
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked | {"account": account}
        return _back(self.redirect_uri, {"code": code, "iss": self.issuer, **state})

    def _token(self) -> Response:
        who = request.authorization
        if who is None or (who.username, who.password) != (CLIENT_ID, CLIENT_SECRET):
            return _refused("invalid_client", 401)
        # a code is good for one try
        asked = self._codes.pop(request.form.get("code", ""), None)
        digest = hashlib.sha256(request.form.get("code_verifier", "").encode()).digest()
        if (
            asked is None
            or request.form.get("grant_type") != "authorization_code"
            or request.form.get("redirect_uri") != self.redirect_uri
            or _base64(digest) != asked["code_challenge"]
        ):
            return _refused("invalid_grant", 400)
        access = secrets.token_urlsafe(16)
        self._tokens[access] = asked["account"]
        return jsonify(
            access_token=access,
            token_type="Bearer",
            expires_in=300,
            id_token=self._id_token(asked["account"], asked["nonce"]),
        )

    def _id_token(self, account: str, nonce: str) -> str:
        now = int(time.time())
        said = {
            "iss": self.issuer,
            "sub": f"account-of-{account}",
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            **({} if self.tells_in_info else self._told_of(account)),
            **self.claims,
        }
        said = {name: value for name, value in said.items() if value is not None}
        if self.signer == "none":
            return _put_together({"alg": "none"}, said, lambda _: b"")
        if self.signer == "public":
            public = self._key.as_pem(private=False)
            header = {"alg": "HS256", "kid": self._key.kid}
            return _put_together(header, said, lambda text: hmac.digest(public, text, "sha256"))
        key = self._key if self.signer == "own" else self._stranger
        return jwt.encode({"alg": "RS256", "kid": key.kid}, said, key)

    def _keys(self) -> Response:
        return jsonify(KeySet([self._key]).as_dict(private=False))

    def _user_info(self) -> Response:
        account = self._tokens.get((request.authorization and request.authorization.token) or "")
        if account is None:
            return Response("no", 401)
        return jsonify({"sub": f"account-of-{account}", **self._told_of(account), **self.info})

    def _told_of(self, account: str) -> dict[str, Any]:
        return {"preferred_username": account, "groups": self.accounts[account]}


def _put_together(header: dict[str, Any], claims: dict[str, Any], sign: Callable[[bytes], bytes]) -> str:
    """A token that no library makes."""
    text = ".".join(_base64(json.dumps(part).encode()) for part in (header, claims))
    return f"{text}.{_base64(sign(text.encode()))}"


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _back(url: str, answer: dict[str, str]) -> Response:
    made = redirect(f"{url}?{urlencode(answer)}")
    assert isinstance(made, Response)
    return made


def _refused(error: str, status: int) -> Response:
    answer = jsonify(error=error)
    answer.status_code = status
    return answer
