"""The shapes of the service's configuration, with every default. Handed on by `service`; any module may use them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from urllib.parse import unquote, urlsplit

from packit_worker.config.oidc import OidcConfig
from packit_worker.config.problems import Problem, sentence
from packit_worker.config.secret import Secret
from packit_worker.config.tracing import TracingConfig

ENVIRONMENT_PREFIX = "PACKIT_WORKER_"


class ServiceConfigError(Exception):
    """The service's configuration cannot be used; ``problems`` says all that is wrong, ``path`` in which file."""

    def __init__(self, problems: Iterable[Problem], path: str | None = None) -> None:
        self.problems = tuple(problems)
        self.path = path
        super().__init__("; ".join(sentence(path, problem) for problem in self.problems))


def variable(dotted: str) -> str:
    """The environment variable that sets a key: of `github.webhook_secret` PACKIT_WORKER_GITHUB_WEBHOOK_SECRET."""
    return ENVIRONMENT_PREFIX + dotted.replace(".", "_").replace("-", "_").upper()


def missing_secret(dotted: str) -> str:
    """What to do about a secret that is missing."""
    key = dotted.rpartition(".")[2]
    return f"is missing: set it in the file, as the path of a file under {key}_file, or as {variable(dotted)}"


class Deployment(StrEnum):
    """Which of the service's installations this is."""

    DEV = "dev"
    STG = "stg"
    PROD = "prod"


@dataclass(frozen=True, kw_only=True)
class GitHubConfig:
    """The GitHub App, or a personal ``token`` instead of it. ``private_key`` is the text of the App's PEM file."""

    app_id: int | None = None
    private_key: Secret | None = None
    webhook_secret: Secret | None = None
    api_url: str = "https://api.github.com"
    web_url: str = "https://github.com"
    app_slug: str = "packit-as-a-service"
    token: Secret | None = None


@dataclass(frozen=True, kw_only=True)
class CoprConfig:
    """The account builds are ordered with. ``owner`` or ``group`` (without @) own the projects instead of it.

    ``cancel_superseded``: a newer push to a pull request ends the builds and tests of the commits before it.
    """

    url: str = "https://copr.fedorainfracloud.org"
    username: str | None = None
    login: Secret | None = None
    token: Secret | None = None
    srpm_chroot: str = "fedora-latest-x86_64"
    owner: str | None = None
    group: str | None = None
    cancel_superseded: bool = True

    @property
    def project_owner(self) -> str | None:
        """Who owns the projects of the service, in Copr's notation: a name, or @group."""
        return f"@{self.group.removeprefix('@')}" if self.group else self.owner or self.username


@dataclass(frozen=True, kw_only=True)
class KojiConfig:
    """Koji, and how we log in there: with Kerberos (``principal``, ``keytab``), a certificate (``cert``) or a password.

    The first that is given counts. Fedora's Koji takes no passwords; stand-ins do.
    """

    hub_url: str = "https://koji.fedoraproject.org/kojihub"
    web_url: str = "https://koji.fedoraproject.org/koji"
    results_url: str = "https://kojipkgs.fedoraproject.org"
    principal: str | None = None
    keytab: str | None = None
    cert: str | None = None
    serverca: str | None = None
    username: str | None = None
    password: Secret | None = None

    @property
    def has_account(self) -> bool:
        """Whether there is anything to log in with."""
        return bool(self.principal or self.keytab or self.cert or self.username)


@dataclass(frozen=True, kw_only=True)
class PackitConfig:
    """The program packit, which makes source packages in a jail. ``allow`` names hosts it may download sources from.

    ``program`` None: the one in PATH.
    """

    program: str | None = None
    allow: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DistGitConfig:
    """Dist-git, a Pagure: where releases are proposed. ``login`` is whose ``token`` it is; updates come from its forks.

    Archives are looked for below ``lookaside_url`` and sent to ``lookaside_upload_url``: with Kerberos (``principal``,
    ``keytab``), a certificate (``cert``) or else the token. ``lookaside_ca`` says whom its own certificate is from.
    """

    url: str = "https://src.fedoraproject.org"
    namespace: str = "rpms"
    login: str | None = None
    token: Secret | None = None
    lookaside_url: str = "https://src.fedoraproject.org/repo/pkgs"
    lookaside_upload_url: str = "https://src.fedoraproject.org/repo/pkgs/upload.cgi"
    lookaside_ca: str | None = None
    principal: str | None = None
    keytab: str | None = None
    cert: str | None = None


@dataclass(frozen=True, kw_only=True)
class TestingFarmConfig:
    """Testing Farm. ``token`` is ours towards it, ``callback_token`` comes back with its notices and proves them.

    ``composes`` names the composes of distributions that follow no rule: epel-10 -> CentOS-Stream-10.
    """

    __test__ = False  # the name is not a test's

    api_url: str = "https://api.dev.testing-farm.io/v0.1"
    token: Secret | None = None
    callback_token: Secret | None = None
    composes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class TlsConfig:
    """The files a client of the bus proves itself with, and the broker's authority. None: that of the system."""

    ca_cert: str | None = None
    keyfile: str | None = None
    certfile: str | None = None


#: Fedora's public brokers, with the certificates that come with fedora-messaging; they prove nobody, and may be known.
#: https://fedora-messaging.readthedocs.io/en/stable/user-guide/quick-start.html#fedora-s-public-broker
PUBLIC_BROKER = "amqps://fedora:@rabbitmq.fedoraproject.org/%2Fpublic_pubsub"
PUBLIC_TLS = TlsConfig(
    ca_cert="/etc/fedora-messaging/cacert.pem",
    keyfile="/etc/fedora-messaging/fedora-key.pem",
    certfile="/etc/fedora-messaging/fedora-cert.pem",
)
PUBLIC_STAGING_BROKER = "amqps://fedora.stg:@rabbitmq.stg.fedoraproject.org/%2Fpublic_pubsub"
PUBLIC_STAGING_TLS = TlsConfig(
    ca_cert="/etc/fedora-messaging/stg-cacert.pem",
    keyfile="/etc/fedora-messaging/fedora.stg-key.pem",
    certfile="/etc/fedora-messaging/fedora.stg-cert.pem",
)


@dataclass(frozen=True, kw_only=True)
class BusConfig:
    """Fedora's messages: the broker, whose builds are ours, where messages that were missed are read from.

    ``queue`` None: the broker makes one that ends with the connection. ``feed_url`` is a local feed instead of the bus.
    ``monitoring_port`` None: the process does not say over HTTP how it is.
    """

    amqp_url: str = field(default=PUBLIC_BROKER, repr=False)
    queue: str | None = None
    passive_declares: bool = False
    tls: TlsConfig = PUBLIC_TLS
    copr_users: tuple[str, ...] = ()
    koji_owners: tuple[str, ...] = ()
    datagrepper_url: str | None = None
    feed_url: str | None = None
    monitoring_port: int | None = None


@dataclass(frozen=True, kw_only=True)
class HookConfig:
    """The key that a project signs its hooks with, or sends along. ``instance`` is its forge's address."""

    instance: str
    project: str
    key: Secret


@dataclass(frozen=True, kw_only=True)
class PagureInstance:
    """A Pagure whose projects are served. ``login`` is the account that the ``token`` belongs to."""

    url: str
    login: str
    token: Secret | None = None


@dataclass(frozen=True, kw_only=True)
class PagureConfig:
    """The Pagures that are served, and keys of hooks beside those that ``packit-worker hooks`` has written down."""

    instances: tuple[PagureInstance, ...] = ()
    hooks: tuple[HookConfig, ...] = ()


@dataclass(frozen=True, kw_only=True)
class GitLabInstance:
    """A GitLab that is served: its address, and the account we have there with its access token (scope ``api``)."""

    url: str
    login: str
    token: Secret


@dataclass(frozen=True, kw_only=True)
class GitLabConfig:
    """The GitLabs there are, and tokens of hooks beside those that ``packit-worker hooks`` has written down.

    ``project`` of a hook is a project's path, or that of a group for all projects below it.
    """

    instances: tuple[GitLabInstance, ...] = ()
    hooks: tuple[HookConfig, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MetricsConfig:
    """Where a process other than the web shows its metrics: nowhere without a ``port``. ``token`` is the web's."""

    port: int | None = None
    address: str = "127.0.0.1"
    token: Secret | None = None


@dataclass(frozen=True, kw_only=True)
class OperatorConfig:
    """Somebody who may replay, approve and deny on the web pages, and the token that proves it."""

    name: str
    token: Secret


@dataclass(frozen=True, kw_only=True)
class Lane:
    """Workers of one queue: how many processes, and the seconds after which a task is told to stop."""

    processes: int
    soft_time_limit: int


LANES: Mapping[str, Lane] = MappingProxyType(
    {
        "parse": Lane(processes=1, soft_time_limit=60),
        "short-running": Lane(processes=2, soft_time_limit=600),
        "long-running": Lane(processes=1, soft_time_limit=3600),
        "report": Lane(processes=1, soft_time_limit=120),
    }
)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Patience and size: seconds, but for ``max_attempts``, ``replay_window_days`` and ``body_bytes``."""

    http_timeout: int = 10
    lease_seconds: int = 15
    heartbeat_seconds: int = 5
    max_attempts: int = 5
    settle_seconds: int = 20  # twice http_timeout where the file sets only that
    ready_max_age_seconds: int = 60
    replay_window_days: int = 7
    body_bytes: int = 25 * 1024 * 1024
    redelivery_interval: int = 600  # 0: never


@dataclass(frozen=True, kw_only=True)
class RetentionConfig:
    """For how many days the journal keeps what; 0: for ever."""

    bodies_days: int = 90
    rows_days: int = 400


@dataclass(frozen=True, kw_only=True)
class ServiceConfig:
    """All that an operator decides. ``database_url`` and ``broker_url`` may hold passwords and are not in the repr."""

    deployment: Deployment = Deployment.DEV
    server_url: str = "http://127.0.0.1:8000"
    trusted_proxies: int = 0
    data_dir: Path
    database_url: str = field(repr=False)
    broker_url: str | None = field(default=None, repr=False)
    check_prefix: str
    admins: tuple[str, ...] = ()
    operators: tuple[OperatorConfig, ...] = ()
    oidc: OidcConfig = field(default_factory=OidcConfig)
    enabled_private_namespaces: tuple[str, ...] = ()
    approval_repository_url: str | None = None
    github: GitHubConfig = GitHubConfig()
    copr: CoprConfig = CoprConfig()
    koji: KojiConfig = KojiConfig()
    packit: PackitConfig = PackitConfig()
    dist_git: DistGitConfig = DistGitConfig()
    testing_farm: TestingFarmConfig = field(default_factory=TestingFarmConfig)
    fasjson_url: str | None = None
    fasjson_principal: str | None = None
    fasjson_keytab: str | None = None
    sentry_dsn: Secret | None = None
    sentry_traces_sample_rate: float = 0.0
    metrics: MetricsConfig = MetricsConfig()
    tracing: TracingConfig = field(default_factory=TracingConfig)
    bus: BusConfig = BusConfig()
    pagure: PagureConfig = PagureConfig()
    gitlab: GitLabConfig = GitLabConfig()
    lanes: Mapping[str, Lane] = field(default_factory=lambda: dict(LANES))
    limits: Limits = Limits()
    retention: RetentionConfig = RetentionConfig()
    target_aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    aliases_url: str | None = None

    @property
    def has_single_sign_on(self) -> bool:
        """Whether operators can log in with OpenID Connect."""
        return bool(self.oidc.issuer and self.oidc.client_secret)

    def secrets(self) -> tuple[str, ...]:
        """Every text that may not be logged, longest first: secrets, the lines of keys, passwords inside URLs."""
        found: set[str] = set()
        for secret in _secrets_in(self):
            value = secret.reveal()
            found.add(value)
            # a library may log a key line by line
            found.update(
                line.strip() for line in value.splitlines() if len(line.strip()) > 8 and line[:5] != "-----"
            )
        for url in (self.database_url, self.broker_url, self.bus.amqp_url):
            if password := urlsplit(url or "").password:
                found |= {password, unquote(password)}
        return tuple(sorted(found - {""}, key=lambda text: (-len(text), text)))

    def check_for_serving(self) -> None:
        """Raise ServiceConfigError naming every secret without which the web door cannot tell friend from stranger."""
        needed = [
            ("github.webhook_secret", self.github.webhook_secret),
            ("testing_farm.callback_token", self.testing_farm.callback_token),
        ]
        if self.oidc.issuer:
            needed.append(("oidc.client_secret", self.oidc.client_secret))
        missing = [Problem(name, missing_secret(name)) for name, value in needed if not value]
        if missing:
            raise ServiceConfigError(missing)


def _secrets_in(shape: object) -> Iterator[Secret]:
    if isinstance(shape, Secret):
        yield shape
    elif isinstance(shape, tuple):
        for item in shape:
            yield from _secrets_in(item)
    elif is_dataclass(shape):
        for item in fields(shape):
            yield from _secrets_in(getattr(shape, item.name))
