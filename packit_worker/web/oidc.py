"""A provider of OpenID Connect: where people are sent to log in, and who it says came back. Used by the pages.

The authorization code flow with PKCE, as https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth has it.
Authlib speaks the protocol. Its client for Flask would keep what belongs to a login in the session, whose cookie does
not come along on the way back (see ``sessions``); so this is the same client without Flask.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.integrations.base_client import BaseApp, OAuth2Mixin, OAuthError, OpenIDMixin
from authlib.integrations.requests_client import OAuth2Session
from joserfc.errors import JoseError

from packit_worker.config.service import OidcConfig

log = logging.getLogger(__name__)

#: Signatures that only the provider can make: a key that both know would do for HS256, no key at all for none.
ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
)
#: Seconds that our clock and the provider's may differ.
LEEWAY = 60
#: Seconds after which the provider's description and its keys are asked for again.
_KNOWN_FOR = 3600
_LONGEST_NAME = 100
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
#: What a message may be made of that is no answer of the protocol.
_NONSENSE = (JoseError, ValueError, KeyError, TypeError, AttributeError)


class ProviderAway(Exception):
    """The provider does not answer, or not so that anybody could log in."""


class LoginRefused(Exception):
    """The provider does not vouch for anybody; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Login:
    """A login under way: what the browser keeps until it is back."""

    state: str
    nonce: str
    code_verifier: str


@dataclass(frozen=True, kw_only=True)
class Person:
    """Whom the provider vouches for. ``subject`` is its own word for the account."""

    name: str
    subject: str
    groups: frozenset[str]


class Provider:
    """The provider of the configuration, for one redirect URI. ``timeout`` is in seconds, for each question to it."""

    def __init__(self, config: OidcConfig, redirect_uri: str, timeout: float) -> None:
        self.config = config
        self._redirect_uri = redirect_uri
        self._client = _Client(config, timeout)

    def begin(self) -> tuple[str, Login]:
        """Where to send a person to, and what has to be known when they come back. Raises ProviderAway."""
        try:
            begun = self._client.create_authorization_url(self._redirect_uri)
        except requests.RequestException as error:
            raise self._away(error) from error
        except _NONSENSE as error:
            raise self._away(error) from error
        return begun["url"], Login(
            state=begun["state"], nonce=begun["nonce"], code_verifier=begun["code_verifier"]
        )

    def finish(self, login: Login, answer: Mapping[str, str]) -> Person:
        """Who came back with this answer, the parameters of the redirect. Raises ProviderAway, LoginRefused.

        That its ``state`` is that of the login is for the caller to see to.
        """
        if answer.get("iss", self.config.issuer) != self.config.issuer:
            # https://www.rfc-editor.org/rfc/rfc9207#section-2.4
            raise LoginRefused(f"this answer is not from {self.config.host}")
        if "code" not in answer:
            raise LoginRefused(f"{self.config.host} says: {answer.get('error', 'nothing')[:100]}")
        try:
            token = self._client.fetch_access_token(
                self._redirect_uri, code=answer["code"], code_verifier=login.code_verifier
            )
            return self._person(token, login.nonce)
        except OAuthError as error:
            if error.error == "invalid_client":
                log.error(
                    "the provider of OpenID Connect does not take oidc.client_id and oidc.client_secret"
                )
                raise ProviderAway(f"{self.config.host} does not know this service") from error
            raise LoginRefused(f"{self.config.host} says: {str(error.error)[:100]}") from error
        except requests.RequestException as error:
            raise self._away(error) from error
        except _NONSENSE as error:
            # Which claim it is stands in the text of these; a token never does.
            log.warning("a login cannot be verified: %s: %s", type(error).__name__, error)
            raise LoginRefused(f"what {self.config.host} says about this login cannot be verified") from error

    def _person(self, token: Mapping[str, Any], nonce: str) -> Person:
        for key in ("id_token", "access_token"):
            if not isinstance(token.get(key), str):
                raise ValueError(f"the answer has no {key}")
        wanted = {
            "iss": {"essential": True, "value": self.config.issuer},
            "aud": {"essential": True, "value": self.config.client_id},
        }
        claims = self._client.parse_id_token(token, nonce, claims_options=wanted, leeway=LEEWAY)
        subject = claims["sub"]
        if not isinstance(subject, str) or not subject:
            raise ValueError("the claim sub is no name of an account")
        asked = [self.config.name_claim, *([self.config.groups_claim] if self.config.groups else [])]
        if any(claim not in claims for claim in asked) and self._client.has_userinfo:
            # Fedora's provider tells names and groups there only.
            more = self._client.userinfo(token=token)
            if more.get("sub") != subject:
                raise ValueError("the claim sub of the user's info is another than that of the ID token")
            claims = more | claims
        return Person(
            name=self._name(claims.get(self.config.name_claim)),
            subject=subject,
            groups=_texts(claims.get(self.config.groups_claim)),
        )

    def _name(self, found: object) -> str:
        if not isinstance(found, str) or not 0 < len(found) <= _LONGEST_NAME or not found.isprintable():
            log.error("the claim %s of a login is no name: see oidc.name_claim", self.config.name_claim)
            raise LoginRefused(f"{self.config.host} does not tell the name of this account")
        return found

    def _away(self, error: Exception) -> ProviderAway:
        log.error("the provider of OpenID Connect cannot be used: %s: %s", type(error).__name__, error)
        return ProviderAway(f"{self.config.host} does not answer as it should")


class _Client(OAuth2Mixin, OpenIDMixin, BaseApp):  # type: ignore[misc]  # Authlib has no types
    """Authlib's client of a provider that is discovered."""

    client_cls = OAuth2Session

    def __init__(self, config: OidcConfig, timeout: float) -> None:
        super().__init__(
            framework=None,
            client_id=config.client_id,
            client_secret=config.client_secret.reveal() if config.client_secret else None,
            client_kwargs={
                "scope": " ".join(config.scopes),
                "code_challenge_method": "S256",
                "default_timeout": timeout,
            },
        )
        self._issuer = config.issuer or ""
        self._loaded_at = -float(_KNOWN_FOR) - 1

    @property
    def has_userinfo(self) -> bool:
        """Whether the provider can be asked about a person."""
        return bool(self.server_metadata.get("userinfo_endpoint"))

    def load_server_metadata(self) -> dict[str, Any]:
        """What the provider says of itself, an hour old at most. Raises ValueError for what cannot be used.

        https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationValidation
        """
        if time.monotonic() - self._loaded_at > _KNOWN_FOR:
            with self._get_session() as session:
                answer = session.get(
                    f"{self._issuer.rstrip('/')}/.well-known/openid-configuration", withhold_token=True
                )
                answer.raise_for_status()
                self.server_metadata = _checked(answer.json(), self._issuer)
            self._loaded_at = time.monotonic()
        found: dict[str, Any] = self.server_metadata
        return found


def _checked(found: object, issuer: str) -> dict[str, Any]:
    if not isinstance(found, dict) or found.get("issuer") != issuer:
        called = found.get("issuer") if isinstance(found, dict) else None
        raise ValueError(f"it calls itself {str(called)[:200]!r}, and oidc.issuer is {issuer!r}")
    kept = {"issuer": issuer}
    for name in (*_ENDPOINTS, "userinfo_endpoint"):
        url = found.get(name)
        if url is None and name not in _ENDPOINTS:
            continue
        if not isinstance(url, str) or urlsplit(url).scheme not in ("https", urlsplit(issuer).scheme):
            raise ValueError(f"its {name} is no address that can be trusted")
        kept[name] = url
    offered = found.get("id_token_signing_alg_values_supported", ["RS256"])
    algorithms = [each for each in ALGORITHMS if each in offered]
    if not algorithms:
        raise ValueError("it signs with nothing that proves who it is")
    return kept | {"id_token_signing_alg_values_supported": algorithms}


def _texts(found: object) -> frozenset[str]:
    """A claim that lists texts."""
    return (
        frozenset(each for each in found if isinstance(each, str)) if isinstance(found, list) else frozenset()
    )
