"""The keys of the service's configuration and what each may hold. For `service` only."""

from __future__ import annotations

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
)
from packit_worker.config.service_fields import (
    Aliases,
    BrokerUrl,
    Dsn,
    Folder,
    Instance,
    Namespaces,
    Pairs,
    PasswordUrl,
    SecretText,
    Share,
    Url,
    text,
    whole,
)
from packit_worker.config.service_shapes import Deployment

#: Days. Forges send again for three, and a captured body is known for seven.
SHORTEST_RETENTION = 14


class GitHubSchema(Closed):
    """`github`."""

    app_id = whole()
    private_key = SecretText()
    webhook_secret = SecretText()
    api_url = Url()
    web_url = Url()
    app_slug = text()
    token = SecretText()


class CoprSchema(Closed):
    """`copr`."""

    url = Url()
    username = text()
    login = SecretText()
    token = SecretText()
    srpm_chroot = text()
    owner = text()
    group = text()
    cancel_superseded = Flag(allow_none=True)


class KojiSchema(Closed):
    """`koji`."""

    hub_url = Url()
    web_url = Url()
    results_url = Url()
    principal = text()
    keytab = text()
    cert = text()
    serverca = text()
    username = text()
    password = SecretText()


class PackitSchema(Closed):
    """`packit`."""

    program = text()
    allow = Texts(allow_none=True)


class DistGitSchema(Closed):
    """`dist_git`."""

    url = Url()
    namespace = text()
    login = text()
    token = SecretText()
    lookaside_url = Url()
    lookaside_upload_url = Url()
    lookaside_ca = text()
    principal = text()
    keytab = text()
    cert = text()


class TestingFarmSchema(Closed):
    """`testing_farm`."""

    __test__ = False  # the name is not a test's

    api_url = Url()
    token = SecretText()
    callback_token = SecretText()
    composes = Pairs(allow_none=True)


class MetricsSchema(Closed):
    """`metrics`."""

    port = whole()
    address = text()
    token = SecretText(validate=checked(bool, EMPTY))


class TracingSchema(Closed):
    """`tracing`."""

    endpoint = Url()
    token = SecretText(validate=checked(bool, EMPTY))
    sample_rate = Share(allow_none=True)


class TlsSchema(Closed):
    """`bus.tls`."""

    ca_cert = text()
    keyfile = text()
    certfile = text()


class BusSchema(Closed):
    """`bus`."""

    amqp_url = BrokerUrl()
    queue = text()
    passive_declares = Flag(allow_none=True)
    tls = Inside(TlsSchema)
    copr_users = Texts(allow_none=True)
    koji_owners = Texts(allow_none=True)
    datagrepper_url = Url()
    feed_url = Url()
    monitoring_port = whole()


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

    processes = whole()
    soft_time_limit = whole()


class LanesSchema(Closed):
    """`lanes`."""

    parse = Inside(LaneSchema)
    short_running = Inside(LaneSchema, data_key="short-running")
    long_running = Inside(LaneSchema, data_key="long-running")
    report = Inside(LaneSchema)


class LimitsSchema(Closed):
    """`limits`."""

    http_timeout = whole()
    lease_seconds = whole()
    heartbeat_seconds = whole()
    max_attempts = whole()
    settle_seconds = whole(0)
    ready_max_age_seconds = whole()
    replay_window_days = whole()
    body_bytes = whole()
    redelivery_interval = whole(0)


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
    trusted_proxies = whole(0)
    data_dir = Folder(allow_none=True)
    database_url = PasswordUrl()
    broker_url = PasswordUrl()
    check_prefix = text()
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
    fasjson_principal = text()
    fasjson_keytab = text()
    sentry_dsn = Dsn()
    sentry_traces_sample_rate = Share(allow_none=True)
    metrics = Inside(MetricsSchema)
    tracing = Inside(TracingSchema)
    bus = Inside(BusSchema)
    pagure = Inside(PagureSchema)
    gitlab = Inside(GitLabSchema)
    lanes = Inside(LanesSchema)
    limits = Inside(LimitsSchema)
    retention = Inside(RetentionSchema)
    target_aliases = Aliases(allow_none=True)
    aliases_url = Url()


SERVICE = ServiceSchema()
