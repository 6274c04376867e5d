"""The keys of `oidc` in the service's configuration and what each may hold. For `service_schema` only."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError, validates_schema

from packit_worker.config.package_fields import EMPTY, Closed, Text, Texts, checked
from packit_worker.config.service_fields import SecretText


class Issuer(Text):
    """The issuer of a provider, letter for letter: with a slash at its end where the provider's own has one."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        try:
            parts = urlsplit(text)
            good = (
                parts.scheme in ("http", "https") and parts.hostname and not (parts.query or parts.fragment)
            )
        except ValueError:
            good = False
        if not good:
            raise ValidationError("has to be the URL that the provider calls itself, letter for letter")
        if parts.scheme == "http" and not _is_this_machine(parts.hostname or ""):
            raise ValidationError("has to start with https://: who is an operator is read from there")
        return text


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class OidcSchema(Closed):
    """`oidc`."""

    issuer = Issuer(allow_none=True)
    client_id = Text(allow_none=True, validate=checked(bool, EMPTY))
    client_secret = SecretText(validate=checked(bool, EMPTY))
    scopes = Texts(
        allow_none=True, validate=checked(lambda scopes: "openid" in scopes, "has to have openid among them")
    )
    name_claim = Text(allow_none=True, validate=checked(bool, EMPTY))
    groups_claim = Text(allow_none=True, validate=checked(bool, EMPTY))
    groups = Texts(allow_none=True)
    people = Texts(allow_none=True)

    @validates_schema
    def somebody_can_log_in(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        """Raise ValidationError for an issuer that nobody could log in with."""
        if data.get("issuer") is None:
            return
        if not data.get("client_id"):
            raise ValidationError("is missing: the provider gives it to a client", "client_id")
        if not data.get("groups") and not data.get("people"):
            raise ValidationError("is empty, and so is people: nobody would be an operator", "groups")
