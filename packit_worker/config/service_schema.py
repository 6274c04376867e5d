"""The keys of the service's configuration and what each may hold. For `service` only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError, fields

from packit_worker.config.oidc_schema import OidcSchema
from packit_worker.config.package_fields import (
    EMPTY,
    Choice,
    Closed,
    Flag,
    Inside,
    Many,
    Messages,
    Text,
    Texts,
    Whole,
    checked,
    says,
)
from packit_worker.config.secret_fields import SecretText
from packit_worker.config.service_shapes import Deployment

#: Days. Forges send again for three, and a captured body is known for seven.
SHORTEST_RETENTION = 14


def _text(**kwargs: Any) -> Text:
    return Text(allow_none=True, **kwargs)


def _whole(least: int = 1) -> Whole:
    return Whole(
        allow_none=True, validate=checked(lambda number: number >= least, f"has to be {least} or more")
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


class GitHubSchema(Closed):
    """`github`."""

    app_id = _whole()
    private_key = SecretText()
    webhook_secret = SecretText()
    api_url = Url()
    web_url = Url()
    app_slug = _text()
    token = SecretText()


class CoprSchema(Closed):
    """`copr`."""

    url = Url()
    username = _text()
    login = SecretText()
    token = SecretText()
    srpm_chroot = _text()
    owner = _text()
    group = _text()
    cancel_superseded = Flag(allow_none=True)


class KojiSchema(Closed):
    """`koji`."""

    hub_url = Url()
    web_url = Url()
    results_url = Url()
    principal = _text()
    keytab = _text()
    cert = _text()
    username = _text()
    password = SecretText()


class PackitSchema(Closed):
    """`packit`."""

    program = _text()
    allow = Texts(allow_none=True)


class DistGitSchema(Closed):
    """`dist_git`."""

    url = Url()
    namespace = _text()
    login = _text()
    token = SecretText()
    lookaside_url = Url()
    lookaside_upload_url = Url()
    lookaside_ca = _text()
    principal = _text()
    keytab = _text()
    cert = _text()


class TestingFarmSchema(Closed):
    """`testing_farm`."""

    __test__ = False  # the name is not a test's

    api_url = Url()
    token = SecretText()
    callback_token = SecretText()
    composes = Pairs(allow_none=True)


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


class MetricsSchema(Closed):
    """`metrics`."""

    port = _whole()
    address = _text()
    token = SecretText(validate=checked(bool, EMPTY))


class TlsSchema(Closed):
    """`bus.tls`."""

    ca_cert = _text()
    keyfile = _text()
    certfile = _text()


class BusSchema(Closed):
    """`bus`."""

    amqp_url = BrokerUrl()
    queue = _text()
    passive_declares = Flag(allow_none=True)
    tls = Inside(TlsSchema)
    copr_users = Texts(allow_none=True)
    koji_owners = Texts(allow_none=True)
    datagrepper_url = Url()
    feed_url = Url()
    monitoring_port = _whole()


_MISSING: Messages = {"required": "is missing"}
#: An empty key would be known to everybody.
_not_empty = checked(bool, EMPTY)


class HookSchema(Closed):
    """One of `pagure.hooks` or `gitlab.hooks`."""

    instance = Instance(required=True, error_messages=_MISSING)
    project = Text(required=True, error_messages=_MISSING, validate=_not_empty)
    key = SecretText(required=True, error_messages=_MISSING, validate=_not_empty)


class PagureInstanceSchema(Closed):
    """One of `pagure.instances`."""

    url = Instance(required=True, error_messages=_MISSING)
    login = Text(required=True, error_messages=_MISSING, validate=_not_empty)
    token = SecretText()


class PagureSchema(Closed):
    """`pagure`."""

    instances = Many(Inside(PagureInstanceSchema), allow_none=True)
    hooks = Many(Inside(HookSchema), allow_none=True)


class GitLabInstanceSchema(Closed):
    """One of `gitlab.instances`."""

    url = Instance(required=True, error_messages=_MISSING)
    login = Text(required=True, error_messages=_MISSING, validate=_not_empty)
    token = SecretText(required=True, error_messages=_MISSING, validate=_not_empty)


class GitLabSchema(Closed):
    """`gitlab`."""

    instances = Many(Inside(GitLabInstanceSchema), allow_none=True)
    hooks = Many(Inside(HookSchema), allow_none=True)


class OperatorSchema(Closed):
    """One of `operators`."""

    name = Text(required=True, error_messages=_MISSING, validate=_not_empty)
    token = SecretText(
        required=True,
        error_messages=_MISSING,
        validate=checked(
            lambda token: len(token.reveal()) >= 20,
            "has to have 20 characters or more: make one with openssl rand -hex 32",
        ),
    )


class LaneSchema(Closed):
    """One of `lanes`."""

    processes = _whole()
    soft_time_limit = _whole()


class LanesSchema(Closed):
    """`lanes`."""

    parse = Inside(LaneSchema)
    short_running = Inside(LaneSchema, data_key="short-running")
    long_running = Inside(LaneSchema, data_key="long-running")
    report = Inside(LaneSchema)


class LimitsSchema(Closed):
    """`limits`."""

    http_timeout = _whole()
    lease_seconds = _whole()
    heartbeat_seconds = _whole()
    max_attempts = _whole()
    settle_seconds = _whole(0)
    ready_max_age_seconds = _whole()
    replay_window_days = _whole()
    body_bytes = _whole()
    redelivery_interval = _whole(0)


def _days() -> Whole:
    return Whole(
        allow_none=True,
        validate=checked(
            lambda days: days == 0 or days >= SHORTEST_RETENTION,
            f"has to be 0 (for ever) or at least {SHORTEST_RETENTION}",
        ),
    )


class RetentionSchema(Closed):
    """`retention`."""

    bodies_days = _days()
    rows_days = _days()


class ServiceSchema(Closed):
    """The file as a whole."""

    deployment = Choice({each.value: each for each in Deployment}, allow_none=True)
    server_url = Url()
    trusted_proxies = _whole(0)
    data_dir = Folder(allow_none=True)
    database_url = PasswordUrl()
    broker_url = PasswordUrl()
    check_prefix = _text()
    admins = Texts(allow_none=True)
    operators = Many(Inside(OperatorSchema), allow_none=True)
    oidc = Inside(OidcSchema)
    enabled_private_namespaces = Namespaces(allow_none=True)
    approval_repository_url = Url()
    github = Inside(GitHubSchema)
    copr = Inside(CoprSchema)
    koji = Inside(KojiSchema)
    packit = Inside(PackitSchema)
    dist_git = Inside(DistGitSchema)
    testing_farm = Inside(TestingFarmSchema)
    fasjson_url = Url()
    sentry_dsn = Dsn()
    sentry_traces_sample_rate = Share(allow_none=True)
    metrics = Inside(MetricsSchema)
    bus = Inside(BusSchema)
    pagure = Inside(PagureSchema)
    gitlab = Inside(GitLabSchema)
    lanes = Inside(LanesSchema)
    limits = Inside(LimitsSchema)
    retention = Inside(RetentionSchema)
    target_aliases = Aliases(allow_none=True)
    aliases_url = Url()


SERVICE = ServiceSchema()
