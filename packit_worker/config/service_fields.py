"""The kinds of values that keys of the service's configuration hold. For `service` and its schema only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError, fields

from packit_worker.config.package_fields import (
    Text,
    Texts,
    Whole,
    checked,
    says,
)
from packit_worker.config.secret import Secret


def text(**kwargs: Any) -> Text:
    """Any text, or nothing."""
    return Text(allow_none=True, **kwargs)


def whole(least: int = 1) -> Whole:
    """A whole number from ``least`` on, or nothing."""
    return Whole(
        allow_none=True, validate=checked(lambda number: number >= least, f"has to be {least} or more")
    )


class SecretText(Text):
    """A text that is a secret from then on."""

    def __init__(self, *, required: bool = False, **kwargs: Any) -> None:
        super().__init__(allow_none=not required, required=required, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return (
            value if isinstance(value, Secret) else Secret(super()._deserialize(value, attr, data, **kwargs))
        )


class Url(Text):
    """The address of a web server; loads without the slash at its end."""

    def __init__(self, *, required: bool = False, **kwargs: Any) -> None:
        super().__init__(allow_none=not required, required=required, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            parts = urlsplit(text)
            good = parts.scheme in ("http", "https") and bool(parts.hostname)
        except ValueError:
            good = False
        if not good:
            raise ValidationError("has to be a URL that starts with http:// or https://")
        return text.rstrip("/")


class Folder(fields.Field[Path]):
    """A folder; ~ is the home of who runs the service."""

    default_error_messages = says("has to be the path of a folder")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Path:
        if not isinstance(value, str | Path) or not str(value) or "\0" in str(value):
            raise self.make_error("invalid")
        return Path(value).expanduser()


class Namespaces(Texts):
    """Namespaces of forges such as github.com/acme: without scheme and slash at the end, the host in small letters."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return tuple(dict.fromkeys(map(normal_namespace, super()._deserialize(value, attr, data, **kwargs))))


def normal_namespace(text: str) -> str:
    """The one spelling of a namespace: of `https://GitHub.com/acme/` github.com/acme."""
    host, slash, path = text.strip().rpartition("://")[2].rstrip("/").partition("/")
    return f"{host.lower()}{slash}{path}"


class Instance(Url):
    """The address of a Pagure or a GitLab, in its one spelling."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        try:
            return normal_instance(super()._deserialize(value, attr, data, **kwargs))
        except ValueError as error:
            raise ValidationError("has to be the address of a forge, e.g. https://pagure.io") from error


def normal_instance(text: str) -> str:
    """The one spelling of a forge's address: of `Pagure.io/` https://pagure.io. Raises ValueError if it is none."""
    parts = urlsplit(text.strip() if "://" in text else f"https://{text.strip()}")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is not the address of a web server")
    port = f":{parts.port}" if parts.port not in (None, 80 if parts.scheme == "http" else 443) else ""
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path.rstrip('/')}"


class PasswordUrl(Text):
    """An address that may hold a password, so that no message quotes it; may stand in a file like a secret."""

    def __init__(self) -> None:
        super().__init__(allow_none=True)


class BrokerUrl(PasswordUrl):
    """The address of an AMQP broker."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        if not text.startswith(("amqp://", "amqps://")):
            raise ValidationError("has to be a URL that starts with amqp:// or amqps://")
        return text


class Aliases(fields.Field[Mapping[str, tuple[str, ...]]]):
    """Lists of chroots by the name they are ordered under."""

    default_error_messages = says("has to be a mapping of names to lists of chroots")

    def _deserialize(
        self, value: Any, attr: str | None, data: Any, **kwargs: Any
    ) -> Mapping[str, tuple[str, ...]]:
        if not isinstance(value, Mapping):
            raise self.make_error("invalid")
        good = {
            name: tuple(chroots)
            for name, chroots in value.items()
            if isinstance(name, str)
            and isinstance(chroots, list)
            and all(isinstance(each, str) for each in chroots)
        }
        if wrong := [name for name in value if name not in good]:
            raise ValidationError(
                {name: ["has to be a list of chroots, e.g. [fedora-41-x86_64]"] for name in wrong}
            )
        return good


class Pairs(fields.Field[Mapping[str, str]]):
    """Texts by name."""

    default_error_messages = says("has to be a mapping of names to texts")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Mapping[str, str]:
        if not isinstance(value, Mapping):
            raise self.make_error("invalid")
        if wrong := [
            key for key, text in value.items() if not (isinstance(key, str) and isinstance(text, str))
        ]:
            raise ValidationError({key: ["has to be text on both sides: use quotes"] for key in wrong})
        return dict(value)


class Dsn(SecretText):
    """A DSN of Sentry: ``https://key@host/project``."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        secret = super()._deserialize(value, attr, data, **kwargs)
        try:
            parts = urlsplit(secret.reveal())
            good = parts.scheme in ("http", "https") and parts.username and parts.hostname
            good = good and parts.path.rpartition("/")[2].isdecimal()
        except ValueError:
            good = False
        if not good:
            raise ValidationError("has to be a DSN of Sentry, e.g. https://key@sentry.example.org/1")
        return secret


class Share(fields.Float):
    """A part of the whole."""

    WRONG = "has to be a number from 0 to 1"
    default_error_messages = says(WRONG) | {"special": WRONG, "too_large": WRONG}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=checked(lambda share: 0 <= share <= 1, self.WRONG), **kwargs)
