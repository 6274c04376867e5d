"""The shape of `oidc` in the service's configuration. Handed on by `service`; any module may use it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from packit_worker.config.secret import Secret


@dataclass(frozen=True, kw_only=True)
class OidcConfig:
    """A provider of OpenID Connect that operators log in with; ``issuer`` None: there is none.

    ``name_claim`` and ``groups_claim`` are what tells a person's name and groups. ``people`` and members of ``groups``
    are operators.
    """

    issuer: str | None = None
    client_id: str | None = None
    client_secret: Secret | None = None
    scopes: tuple[str, ...] = ("openid", "profile")
    name_claim: str = "preferred_username"
    groups_claim: str = "groups"
    groups: tuple[str, ...] = ()
    people: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        """What people know the provider by: the host's name of its issuer."""
        return urlsplit(self.issuer or "").hostname or ""
