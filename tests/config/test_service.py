"""The operator's configuration: defaults, strictness, secrets and the environment."""

from __future__ import annotations

import copy
import dataclasses
import os
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

import packit_worker.config.service as module
from packit_worker.config.secret import Secret
from packit_worker.config.service import (
    Deployment,
    ServiceConfig,
    ServiceConfigError,
    from_mapping,
    load_service_config,
    normal_instance,
    normal_namespace,
)

EXAMPLE = Path(module.__file__).with_name("example.yaml")
CANARY = "c4nary-s3cret"


def file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "service.yaml"
    path.write_text(text)
    return path


def refused(tmp_path: Path, text: str, environ: dict[str, str] | None = None) -> ServiceConfigError:
    with pytest.raises(ServiceConfigError) as caught:
        load_service_config(file(tmp_path, text), environ or {})
    assert CANARY not in str(caught.value)
    return caught.value


# -- defaults --


def test_defaults() -> None:
    config = load_service_config(None, {})
    assert config == from_mapping({})
    assert config.deployment is Deployment.DEV
    assert config.server_url == "http://127.0.0.1:8000"
    assert config.data_dir == Path("~/.local/share/packit-worker").expanduser()
    assert config.database_url == f"sqlite:///{config.data_dir}/journal.sqlite"
    assert config.broker_url is None
    assert (config.github.api_url, config.github.app_slug) == (
        "https://api.github.com",
        "packit-as-a-service",
    )
    assert config.copr.srpm_chroot == "fedora-latest-x86_64"
    assert {name: (lane.processes, lane.soft_time_limit) for name, lane in config.lanes.items()} == {
        "parse": (1, 60),
        "short-running": (2, 600),
        "long-running": (1, 3600),
        "report": (1, 120),
    }
    assert dataclasses.astuple(config.limits) == (10, 15, 5, 5, 20, 60, 7, 25 * 1024 * 1024, 600)


@pytest.mark.parametrize(
    ("deployment", "prefix"), [("dev", "packit-dev"), ("stg", "packit-stg"), ("prod", "packit")]
)
def test_the_prefix_of_checks_follows_the_deployment(deployment: str, prefix: str) -> None:
    assert from_mapping({"deployment": deployment}).check_prefix == prefix
    assert from_mapping({"deployment": deployment, "check_prefix": "mine"}).check_prefix == "mine"


def test_values_that_follow_from_others(tmp_path: Path) -> None:
    config = from_mapping({"data_dir": str(tmp_path), "limits": {"http_timeout": 3}})
    assert config.database_url == f"sqlite:///{tmp_path}/journal.sqlite"
    assert config.limits.settle_seconds == 6
    assert from_mapping({"limits": {"http_timeout": 3, "settle_seconds": 1}}).limits.settle_seconds == 1
    assert (
        from_mapping({"lanes": {"long-running": {"processes": 9}}}).lanes["long-running"].soft_time_limit
        == 3600
    )


def test_who_owns_the_projects() -> None:
    assert from_mapping({"copr": {"username": "me"}}).copr.project_owner == "me"
    assert from_mapping({"copr": {"username": "me", "owner": "you"}}).copr.project_owner == "you"
    assert from_mapping({"copr": {"username": "me", "group": "us"}}).copr.project_owner == "@us"


def test_it_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        load_service_config(None, {}).server_url = "x"  # type: ignore[misc]


# -- the example --


def test_the_example_says_what_the_defaults_are() -> None:
    assert load_service_config(EXAMPLE, {}) == load_service_config(None, {})


def test_the_example_shows_every_key() -> None:
    text = EXAMPLE.read_text()

    def keys(shape: type[Any]) -> set[str]:
        return {item.name for item in dataclasses.fields(shape)}

    shown = keys(ServiceConfig)
    for shape in (
        module.GitHubConfig,
        module.CoprConfig,
        module.KojiConfig,
        module.PackitConfig,
        module.TestingFarmConfig,
        module.BusConfig,
        module.TlsConfig,
        module.MetricsConfig,
        module.PagureConfig,
        module.PagureInstance,
        module.HookConfig,
        module.Limits,
    ):
        shown |= keys(shape)
    assert [key for key in sorted(shown) if f"{key}:" not in text and f"{key}_file:" not in text] == []


def test_the_example_holds_no_secret() -> None:
    assert load_service_config(EXAMPLE, {}).secrets() == ()


# -- strictness --


def test_all_problems_with_their_places(tmp_path: Path) -> None:
    error = refused(
        tmp_path, "deploiment: dev\ngithub:\n  webhok_secret: x\n  app_id: many\nlanes:\n  parce: {}\n"
    )
    assert [(found.dotted, found.line, found.column, found.nearest) for found in error.problems] == [
        ("deploiment", 1, 1, "deployment"),
        ("github.webhok_secret", 3, 3, "webhook_secret"),
        ("github.app_id", 4, 3, None),
        ("lanes.parce", 6, 3, "parse"),
    ]
    assert error.path is not None and error.path in str(error)


@pytest.mark.parametrize(
    "text",
    [
        "deployment: production",
        "server_url: example.org",
        "server_url: 'http://['",
        "github: words",
        "github: {app_id: 0}",
        "lanes: {parse: {processes: 0}}",
        "lanes: {parse: 3}",
        "limits: {max_attempts: x}",
        "admins: me",
        "target_aliases: {stable: fedora-41}",
        "target_aliases: [a]",
        "testing_farm: {composes: [a]}",
        "testing_farm: {composes: {epel-10: 10}}",
        "data_dir: ''",
        "data_dir: [a]",
        "bus: {amqp_url: http://broker}",
        "bus: {tls: [a]}",
        "bus: {passive_declares: 3}",
        "bus: {datagrepper_url: somewhere}",
        "- a",
        "a: 'b",
        "admins: 2024-01-01",
    ],
)
def test_values_that_are_refused(tmp_path: Path, text: str) -> None:
    refused(tmp_path, text)


def test_empty_files_and_sections(tmp_path: Path) -> None:
    assert load_service_config(file(tmp_path, ""), {}) == load_service_config(None, {})
    assert (
        load_service_config(file(tmp_path, "github:\n  # token: x\nlanes:\n  parse:\n"), {}).github.token
        is None
    )


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ServiceConfigError, match=r"nowhere\.yaml.*No such file.*PACKIT_WORKER_CONFIG"):
        load_service_config(None, {"PACKIT_WORKER_CONFIG": str(tmp_path / "nowhere.yaml")})


def test_the_environment_names_the_file(tmp_path: Path) -> None:
    path = file(tmp_path, "check_prefix: from-file")
    assert load_service_config(None, {"PACKIT_WORKER_CONFIG": str(path)}).check_prefix == "from-file"


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PACKIT_WORKER_CONFIG", raising=False)
    monkeypatch.setenv("PACKIT_WORKER_CHECK_PREFIX", "from-environment")
    assert load_service_config().check_prefix == "from-environment"
    assert from_mapping({}).check_prefix == "packit-dev"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("https://GitHub.com/acme/", "github.com/acme"),
        ("github.com/acme", "github.com/acme"),
        ("http://gitlab.example.org/Group/Sub", "gitlab.example.org/Group/Sub"),
        ("GITHUB.COM", "github.com"),
    ],
)
def test_namespaces_have_one_spelling(written: str, read: str) -> None:
    assert normal_namespace(written) == read
    assert from_mapping({"enabled_private_namespaces": [written, read]}).enabled_private_namespaces == (read,)


def test_addresses_lose_the_slash_at_their_end() -> None:
    assert from_mapping({"server_url": "https://ci.example.org/"}).server_url == "https://ci.example.org"


def test_aliases() -> None:
    config = from_mapping({"target_aliases": {"fedora-stable": ["fedora-41-x86_64"]}})
    assert config.target_aliases == {"fedora-stable": ("fedora-41-x86_64",)}


def test_dist_git() -> None:
    config = from_mapping({"dist_git": {"url": "https://src.example.org/", "login": "me", "token": CANARY}})
    assert (config.dist_git.url, config.dist_git.namespace) == ("https://src.example.org", "rpms")
    assert CANARY in config.secrets()


def test_composes() -> None:
    config = from_mapping({"testing_farm": {"composes": {"epel-10": "CentOS-Stream-10"}}})
    assert config.testing_farm.composes == {"epel-10": "CentOS-Stream-10"}


# -- the environment --


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("PACKIT_WORKER_DEPLOYMENT", "prod", lambda c: c.deployment is Deployment.PROD),
        ("PACKIT_WORKER_GITHUB_APP_ID", "17", lambda c: c.github.app_id == 17),
        ("PACKIT_WORKER_LIMITS_HTTP_TIMEOUT", "4", lambda c: c.limits.settle_seconds == 8),
        (
            "PACKIT_WORKER_LANES_SHORT_RUNNING_PROCESSES",
            "6",
            lambda c: c.lanes["short-running"].processes == 6,
        ),
        ("PACKIT_WORKER_COPR_CANCEL_SUPERSEDED", "false", lambda c: c.copr.cancel_superseded is False),
        ("PACKIT_WORKER_LIMITS_REDELIVERY_INTERVAL", "0", lambda c: c.limits.redelivery_interval == 0),
        ("PACKIT_WORKER_SENTRY_DSN", "https://k@s/1", lambda c: c.sentry_dsn.reveal() == "https://k@s/1"),
        ("PACKIT_WORKER_GITHUB_WEBHOOK_SECRET", CANARY, lambda c: c.github.webhook_secret.reveal() == CANARY),
        ("PACKIT_WORKER_CHECK_PREFIX", "", lambda c: c.check_prefix == "file"),
        ("PACKIT_WORKER_PORT", "tcp://10.0.0.1:80", lambda c: c.check_prefix == "file"),
    ],
)
def test_variables_beat_the_file(tmp_path: Path, name: str, value: str, read: Any) -> None:
    path = file(
        tmp_path,
        "deployment: stg\ncheck_prefix: file\ngithub: {app_id: 1, webhook_secret: x}\nlimits: {http_timeout: 1}\n",
    )
    assert read(load_service_config(path, {name: value}))


def test_a_wrong_variable_is_named(tmp_path: Path) -> None:
    error = refused(tmp_path, "github:\n  app_id: 5\n", {"PACKIT_WORKER_GITHUB_APP_ID": "five"})
    assert error.problems[0].dotted == "environment variable PACKIT_WORKER_GITHUB_APP_ID"
    assert error.problems[0].line is None


def test_no_other_module_reads_the_environment() -> None:
    root = Path(module.__file__).parents[1]
    readers = {
        path.name
        for path in (root / "config").glob("*.py")
        if "os.environ" in (text := path.read_text()) or "getenv" in text
    }
    assert readers == {"service.py"}


# -- secrets --


def test_secrets_in_files(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text(f"\n{CANARY}\n")
    for where in ("key.pem", str(tmp_path / "key.pem")):
        config = load_service_config(file(tmp_path, f"github: {{private_key_file: {where}}}"), {})
        assert config.github.private_key is not None
        assert config.github.private_key.reveal() == CANARY
    name = "PACKIT_WORKER_GITHUB_PRIVATE_KEY_FILE"
    key = load_service_config(None, {name: str(tmp_path / "key.pem")}).github.private_key
    assert key is not None and key.reveal() == CANARY


def test_addresses_with_passwords_in_files(tmp_path: Path) -> None:
    address = f"postgresql+psycopg://me:{CANARY}@database/journal"
    for name in ("database", "broker", "bus"):
        (tmp_path / name).write_text(f"{address.replace('postgresql+psycopg', 'amqps')}\n")
    (tmp_path / "database").write_text(f"{address}\n")
    text = "database_url_file: database\nbroker_url_file: broker\nbus: {amqp_url_file: bus}\n"
    config = load_service_config(file(tmp_path, text), {})
    assert config.database_url == address
    assert config.broker_url == config.bus.amqp_url == f"amqps://me:{CANARY}@database/journal"
    assert CANARY in config.secrets() and CANARY not in repr(config)
    variables = {"PACKIT_WORKER_DATABASE_URL_FILE": str(tmp_path / "database")}
    assert load_service_config(None, variables).database_url == address
    assert "beside" in str(refused(tmp_path, "database_url: sqlite://\ndatabase_url_file: database\n"))


@pytest.mark.parametrize(
    ("deployment", "url", "is_taken"),
    [
        ("prod", "redis://redis:6379/0", False),
        ("prod", "rediss://packit@redis/0", False),
        ("prod", f"redis://packit:{CANARY}@redis:6379/0", True),
        ("prod", f"redis://:{CANARY}@redis", True),
        ("prod", "redis+socket:///run/broker.sock", True),
        ("stg", "redis://redis:6379/0", True),
    ],
)
def test_redis_asks_for_a_password_in_production(
    tmp_path: Path, deployment: str, url: str, is_taken: bool
) -> None:
    text = f"deployment: {deployment}\nbroker_url: {url}\n"
    if is_taken:
        assert load_service_config(file(tmp_path, text), {}).broker_url == url
    else:
        error = refused(tmp_path, text)
        assert (error.problems[0].dotted, error.problems[0].line) == ("broker_url", 2)
        assert "has no password" in str(error)


def test_secret_files_that_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "binary").write_bytes(b"\xff" + CANARY.encode())
    for name, words in (("nowhere", "No such file"), ("empty", "is empty"), ("binary", "UnicodeDecodeError")):
        error = refused(tmp_path, f"github:\n  token_file: {name}\n")
        assert words in str(error)
        assert (error.problems[0].dotted, error.problems[0].line) == ("github.token_file", 2)
    assert "beside" in str(refused(tmp_path, f"github: {{token: {CANARY}, token_file: x}}"))
    refused(tmp_path, "github: {token_file: [a]}")
    refused(
        tmp_path, "github: {token_file: a}", {"PACKIT_WORKER_GITHUB_TOKEN_FILE": str(tmp_path / "nowhere")}
    )
    assert "app_id" in str(refused(tmp_path, "github: {app_id_file: a}"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_secret_file_without_permission(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(CANARY)
    (tmp_path / "key").chmod(stat.S_IWUSR)
    assert "Permission" in str(refused(tmp_path, "github: {token_file: key}"))


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret(CANARY)
    for shown in (str(secret), repr(secret), f"{secret}", f"{secret!r:>20}", "%s" % secret, repr([secret])):  # noqa: UP031
        assert CANARY not in shown
    assert secret.reveal() == CANARY
    assert secret == Secret(CANARY) == copy.copy(secret)
    assert secret == CANARY and secret != "other" and secret != 5
    assert hash(secret) == hash(Secret(CANARY))
    assert Secret("é") != Secret("e") and bool(secret) and not Secret("")


def test_no_secret_in_a_repr() -> None:
    config = from_mapping(
        {
            "github": {"private_key": CANARY, "webhook_secret": CANARY, "token": CANARY},
            "copr": {"token": CANARY},
            "testing_farm": {"token": CANARY, "callback_token": CANARY},
            "sentry_dsn": f"https://{CANARY}@sentry.example.org/1",
            "database_url": f"postgresql://u:{CANARY}@db/x",
            "broker_url": f"redis://:{CANARY}@broker",
            "bus": {"amqp_url": f"amqp://u:{CANARY}@broker"},
            "pagure": {"hooks": [{"instance": "https://pagure.io", "project": "a", "key": CANARY}]},
        }
    )
    assert CANARY not in repr(config) + str(config)


def test_texts_to_keep_out_of_logs() -> None:
    key = "-----BEGIN KEY-----\nabcdefghijklm\nnopqrstuvwxyz\n-----END KEY-----"
    config = from_mapping(
        {
            "github": {"private_key": key, "webhook_secret": "hook"},
            "testing_farm": {"callback_token": "back"},
            "sentry_dsn": "https://k@sentry/1",
            "database_url": "postgresql://u:p%40ss@db/x",
            "broker_url": "redis://:brokerpass@broker",
        }
    )
    assert config.secrets() == (
        key,
        "https://k@sentry/1",
        "abcdefghijklm",
        "nopqrstuvwxyz",
        "brokerpass",
        "p%40ss",
        "back",
        "hook",
        "p@ss",
    )


@pytest.mark.parametrize(
    "text",
    [
        f"github:\n  token: *{CANARY}\n",
        f"github:\n  token: !{CANARY}\n",
        f"github:\n  token: '{CANARY}\n",
        f"github:\n  token: [{CANARY}]\n",
        f"github:\n  token: {{{CANARY}x: 1}}\n",
        f"github:\n  app_id: {CANARY}\n",
        f"lanes: {CANARY}\n",
        f"server_url: https:/{CANARY}\n",
        f"bus: {{amqp_url: 'redis://:{CANARY}@broker'}}\n",
    ],
)
def test_no_secret_in_an_error(tmp_path: Path, text: str) -> None:
    error: BaseException | None = refused(tmp_path, text)
    while error is not None:
        assert CANARY not in str(error) + repr(error)
        error = error.__cause__


# -- the web door --


def test_the_web_door_needs_its_secrets() -> None:
    with pytest.raises(ServiceConfigError) as caught:
        from_mapping({}).check_for_serving()
    assert [found.dotted for found in caught.value.problems] == [
        "github.webhook_secret",
        "testing_farm.callback_token",
    ]
    for words in ("webhook_secret_file", "PACKIT_WORKER_GITHUB_WEBHOOK_SECRET", "callback_token_file"):
        assert words in str(caught.value)
    one = from_mapping({"github": {"webhook_secret": "x"}})
    with pytest.raises(ServiceConfigError, match=r"^testing_farm\.callback_token"):
        one.check_for_serving()
    both = from_mapping({"github": {"webhook_secret": "x"}, "testing_farm": {"callback_token": "y"}})
    both.check_for_serving()
    with pytest.raises(ServiceConfigError):
        from_mapping(
            {"github": {"webhook_secret": ""}, "testing_farm": {"callback_token": "y"}}
        ).check_for_serving()


def test_the_example_is_plain_yaml() -> None:
    assert set(yaml.safe_load(EXAMPLE.read_text())) >= {"deployment", "github", "lanes", "limits"}


# -- the bus and Pagure --


def test_the_broker_of_a_deployment() -> None:
    assert from_mapping({}).bus.amqp_url == "amqps://fedora:@rabbitmq.fedoraproject.org/%2Fpublic_pubsub"
    staging = from_mapping({"deployment": "stg"}).bus
    assert staging.amqp_url == "amqps://fedora.stg:@rabbitmq.stg.fedoraproject.org/%2Fpublic_pubsub"
    assert staging.tls.ca_cert == "/etc/fedora-messaging/stg-cacert.pem"
    own = from_mapping({"bus": {"amqp_url": "amqps://me@broker", "tls": {"ca_cert": "/ca.pem"}}}).bus
    assert dataclasses.astuple(own.tls) == ("/ca.pem", None, None)
    partly = from_mapping({"bus": {"tls": {"keyfile": "/key.pem"}}}).bus
    assert (partly.tls.keyfile, partly.tls.ca_cert) == ("/key.pem", "/etc/fedora-messaging/cacert.pem")


def test_the_bus_from_the_environment(tmp_path: Path) -> None:
    variables = {
        "PACKIT_WORKER_BUS_AMQP_URL": f"amqp://u:{CANARY}@broker",
        "PACKIT_WORKER_BUS_TLS_CA_CERT": "/ca.pem",
        "PACKIT_WORKER_BUS_PASSIVE_DECLARES": "true",
    }
    bus = load_service_config(file(tmp_path, "bus: {queue: mine}"), variables).bus
    assert (bus.amqp_url, bus.queue) == (f"amqp://u:{CANARY}@broker", "mine")
    assert (bus.tls.ca_cert, bus.passive_declares) == ("/ca.pem", True)


def test_keys_of_hooks(tmp_path: Path) -> None:
    (tmp_path / "hook.key").write_text(f"{CANARY}-2\n")
    config = load_service_config(
        file(
            tmp_path,
            "pagure:\n  hooks:\n"
            f"    - {{instance: 'https://Pagure.io/', project: tea, key: {CANARY}-1}}\n"
            "    - {instance: https://src.fedoraproject.org, project: rpms/tea, key_file: hook.key}\n",
        ),
        {},
    )
    first, second = config.pagure.hooks
    assert (first.instance, first.project) == ("https://pagure.io", "tea")
    assert (first.key.reveal(), second.key.reveal()) == (f"{CANARY}-1", f"{CANARY}-2")
    assert set(config.secrets()) == {f"{CANARY}-1", f"{CANARY}-2"}
    assert CANARY not in repr(config)


def test_gitlabs(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{CANARY}-1\n")
    config = load_service_config(
        file(
            tmp_path,
            "gitlab:\n  instances:\n"
            "    - {url: 'https://GitLab.com/', login: packit, token_file: token}\n"
            f"    - {{url: 'https://example.org/gitlab', login: robot, token: {CANARY}-2}}\n"
            "  hooks:\n"
            f"    - {{instance: 'https://gitlab.com', project: acme/tools, key: {CANARY}-3}}\n",
        ),
        {},
    ).gitlab
    first, second = config.instances
    assert (first.url, first.login, first.token.reveal()) == ("https://gitlab.com", "packit", f"{CANARY}-1")
    assert (second.url, second.login) == ("https://example.org/gitlab", "robot")
    assert (config.hooks[0].project, config.hooks[0].key.reveal()) == ("acme/tools", f"{CANARY}-3")
    assert CANARY not in repr(config)
    for text, dotted in (
        ("instances: [{url: https://gitlab.com, login: packit}]", "gitlab.instances[0].token"),
        (f"instances: [{{url: https://gitlab.com, token: {CANARY}}}]", "gitlab.instances[0].login"),
        (f"instances: [{{login: packit, token: {CANARY}}}]", "gitlab.instances[0].url"),
        (f"instances: [{CANARY}]", "gitlab.instances[0]"),
    ):
        error = refused(tmp_path, f"gitlab: {{{text}}}\n")
        assert any(found.dotted == dotted for found in error.problems), f"{text}: {error}"


def test_hooks_that_are_refused(tmp_path: Path) -> None:
    hook = "instance: https://pagure.io, project: tea"
    for text, dotted, words in (
        (f"hooks: [{{{hook}}}]", "pagure.hooks[0].key", "is missing"),
        (f"hooks: [{{{hook}, key: ''}}]", "pagure.hooks[0].key", "may not be empty"),
        (f"hooks: [{{{hook}, key: {CANARY}, key_file: x}}]", "pagure.hooks[0].key_file", "stands beside"),
        (f"hooks: [{{{hook}, key_file: nowhere}}]", "pagure.hooks[0].key_file", "No such file"),
        (f"hooks: [{{{hook}, kee: {CANARY}}}]", "pagure.hooks[0].kee", "did you mean key?"),
        (f"hooks: [{{project: a, key: {CANARY}}}]", "pagure.hooks[0].instance", "is missing"),
        (
            f"hooks: [{{instance: a, project: a, key: {CANARY}}}]",
            "pagure.hooks[0].instance",
            "has to be a URL",
        ),
        (
            f"hooks: [{{instance: 'https://a:b', project: a, key: {CANARY}}}]",
            "pagure.hooks[0].instance",
            "a forge",
        ),
        (f"hooks: [{{instance: https://a, project: '', key: {CANARY}}}]", "pagure.hooks[0].project", "empty"),
        (f"hooks: [{CANARY}]", "pagure.hooks[0]", "has to be a mapping"),
        (f"hooks: {CANARY}", "pagure.hooks", "has to be a list"),
    ):
        error = refused(tmp_path, f"pagure: {{{text}}}\n")
        assert any(found.dotted == dotted and words in found.message for found in error.problems), (
            f"{text}: {error}"
        )


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("https://Pagure.io/", "https://pagure.io"),
        ("pagure.io", "https://pagure.io"),
        ("http://localhost:80/", "http://localhost"),
        ("https://localhost:8080/pagure/", "https://localhost:8080/pagure"),
    ],
)
def test_the_address_of_a_pagure_has_one_spelling(written: str, read: str) -> None:
    assert normal_instance(written) == normal_instance(read) == read


@pytest.mark.parametrize("text", ["", "https://", "ftp://pagure.io", "https://a:b", "https://["])
def test_what_is_no_address_of_a_pagure(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        normal_instance(text)


def test_the_pagures_that_are_served(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{CANARY}\n")
    path = tmp_path / "service.yaml"
    path.write_text(
        "pagure:\n  instances:\n"
        "  - {url: https://Pagure.io/, login: packit, token_file: token}\n"
        "  - {url: https://git.centos.org, login: packit}\n"
    )
    config = load_service_config(path, {})
    first, second = config.pagure.instances
    assert (first.url, first.login, second.token) == ("https://pagure.io", "packit", None)
    assert first.token is not None and first.token.reveal() == CANARY
    assert CANARY in config.secrets()
    error = refused(tmp_path, "pagure: {instances: [{url: https://pagure.io}]}\n")
    assert [(found.dotted, found.message) for found in error.problems] == [
        ("pagure.instances[0].login", "is missing")
    ]


# -- operators --


def test_operators(tmp_path: Path) -> None:
    (tmp_path / "alice").write_text("a-token-of-alice-that-is-long\n")
    text = f"operators: [{{name: alice, token_file: alice}}, {{name: bob, token: {CANARY * 3}}}]"
    config = load_service_config(file(tmp_path, text), {})
    assert [(each.name, each.token.reveal()) for each in config.operators] == [
        ("alice", "a-token-of-alice-that-is-long"),
        ("bob", CANARY * 3),
    ]
    assert set(config.secrets()) >= {"a-token-of-alice-that-is-long", CANARY * 3}


@pytest.mark.parametrize(
    ("operator", "said"),
    [
        ("{name: alice}", "operators[0].token: is missing"),
        (f"{{token: {CANARY * 3}}}", "operators[0].name: is missing"),
        (f"{{name: alice, token: {CANARY}}}", "has to have 20 characters or more"),
        ("{name: alice, token_file: none}", "cannot be read"),
        ("{name: alice, token: null}", "operators[0].token"),
    ],
)
def test_operators_that_cannot_log_in(tmp_path: Path, operator: str, said: str) -> None:
    assert said in str(refused(tmp_path, f"operators: [{operator}]"))
