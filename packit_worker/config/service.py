"""The service's configuration: a YAML file, secrets in files beside it, and the environment over both.

Any module of the worker may import this one. It alone reads `os.environ`. `example.yaml` beside it shows every key.

A key may be given in the file or, where it holds one value and no list, as an environment variable:
`limits.http_timeout` as PACKIT_WORKER_LIMITS_HTTP_TIMEOUT. A secret may also stand in a file of its own:
`private_key_file: /run/key.pem`, or PACKIT_WORKER_GITHUB_PRIVATE_KEY_FILE; so may an address with a password in it
(`database_url_file`). Variables beat the file; empty ones count as not set, and others that happen to have the prefix
(Kubernetes sets some for a service of our name) are left alone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from marshmallow import Schema, ValidationError, fields

from packit_worker.config import loading
from packit_worker.config.oidc import OidcConfig
from packit_worker.config.problems import Problem, Problems, dotted
from packit_worker.config.secret import Secret
from packit_worker.config.service_fields import (
    Aliases,
    Pairs,
    PasswordUrl,
    SecretText,
    normal_instance,
    normal_namespace,
)
from packit_worker.config.service_schema import SERVICE
from packit_worker.config.service_shapes import (
    LANES,
    PUBLIC_STAGING_BROKER,
    PUBLIC_STAGING_TLS,
    PUBLIC_TLS,
    BusConfig,
    CoprConfig,
    Deployment,
    DistGitConfig,
    GitHubConfig,
    GitLabConfig,
    GitLabInstance,
    HookConfig,
    KojiConfig,
    Lane,
    Limits,
    MetricsConfig,
    OperatorConfig,
    PackitConfig,
    PagureConfig,
    PagureInstance,
    RetentionConfig,
    ServiceConfig,
    ServiceConfigError,
    TestingFarmConfig,
    TlsConfig,
    variable,
)
from packit_worker.config.tracing import TracingConfig

__all__ = [
    "LANES",
    "PATH_VARIABLE",
    "BusConfig",
    "CoprConfig",
    "Deployment",
    "DistGitConfig",
    "GitHubConfig",
    "GitLabConfig",
    "GitLabInstance",
    "HookConfig",
    "KojiConfig",
    "Lane",
    "Limits",
    "MetricsConfig",
    "OidcConfig",
    "OperatorConfig",
    "PackitConfig",
    "PagureConfig",
    "PagureInstance",
    "RetentionConfig",
    "Secret",
    "ServiceConfig",
    "ServiceConfigError",
    "TestingFarmConfig",
    "TlsConfig",
    "TracingConfig",
    "from_mapping",
    "load_service_config",
    "normal_instance",
    "normal_namespace",
]

PATH_VARIABLE = "PACKIT_WORKER_CONFIG"

_DATA_DIR = "~/.local/share/packit-worker"


def load_service_config(path: Path | None = None, environ: Mapping[str, str] | None = None) -> ServiceConfig:
    """The configuration from the file ``path``, or from the one that PACKIT_WORKER_CONFIG names, and ``environ``.

    Without a file there are the defaults and the environment. Raises ServiceConfigError, which never quotes a secret.
    """
    environ = os.environ if environ is None else environ
    if path is None and environ.get(PATH_VARIABLE):
        path = Path(environ[PATH_VARIABLE]).expanduser()
    document = _read(path) if path is not None else loading.Document(None)
    return _build(document, environ, path)


def from_mapping(raw: Mapping[str, Any]) -> ServiceConfig:
    """The configuration that a file with this content gives, whatever the environment. Raises ServiceConfigError."""
    return _build(loading.Document(dict(raw)), {}, None)


def _read(path: Path) -> loading.Document:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        problem = Problem("", f"cannot be read ({_reason(error)}): correct {PATH_VARIABLE} or the file")
        raise ServiceConfigError([problem], str(path)) from error
    try:
        return loading.read(text)
    except loading.DocumentError as error:
        # quoted words may be parts of a secret that was not put in quotes
        problem = Problem("", re.sub(r"'[^']*'", "'...'", error.message), error.line, error.column)
    # raised outside, so that no traceback carries the lines of the file
    raise ServiceConfigError([problem], str(path))


def _build(document: loading.Document, environ: Mapping[str, str], path: Path | None) -> ServiceConfig:
    problems = Problems(document)
    if document.data is not None and not isinstance(document.data, Mapping):
        problems.add((), "the file has to be a mapping of keys to values, e.g. deployment: dev")
        raise ServiceConfigError(problems.sorted(), str(path))
    raw = _copied(document.data or {})
    _take_secret_files(raw, path.parent if path else Path(), problems)
    variables = _take_variables(raw, environ, problems)
    values: Mapping[str, Any] = {}
    try:
        values = SERVICE.load(raw)
    except ValidationError as error:
        problems.add_tree((), error.messages)
    if values.get("deployment") is Deployment.PROD and _lets_everybody_in(values.get("broker_url") or ""):
        problems.add(
            ("broker_url",),
            "has no password: in prod Redis has to ask for one (see ACL in its documentation)",
        )
    if problems:
        raise ServiceConfigError(
            [
                Problem(
                    f"environment variable {variables[found.dotted]}",
                    found.message,
                    None,
                    None,
                    found.nearest,
                )
                if found.dotted in variables
                else found
                for found in problems.sorted()
            ],
            str(path) if path else None,
        )
    return _shaped({key: value for key, value in values.items() if value is not None})


def _lets_everybody_in(broker_url: str) -> bool:
    """Whether this is a Redis on the network that is used without a password."""
    try:
        parts = urlsplit(broker_url)
    except ValueError:
        return False
    return parts.scheme in ("redis", "rediss") and not parts.password


def _copied(raw: Mapping[Any, Any]) -> dict[Any, Any]:
    """A copy whose sections can be filled; an empty section (all its keys are comments) is none."""
    copy: dict[Any, Any] = {}
    for key, value in raw.items():
        if isinstance(value, Mapping):
            copy[key] = _copied(value)
        elif value is not None:
            copy[key] = value
    return copy


def _scalars(schema: Schema = SERVICE, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], bool]]:
    """The path of every key with one value, and whether that may stand in a file: a secret, or what may hold one."""
    for name, item in schema.fields.items():
        path = (*above, item.data_key or name)
        if isinstance(item, fields.Nested):
            yield from _scalars(item.schema, path)
        elif not isinstance(item, fields.List | Aliases | Pairs):
            yield path, isinstance(item, SecretText | PasswordUrl)


def _section(raw: dict[Any, Any], path: tuple[str, ...]) -> dict[Any, Any] | None:
    """The mapping that holds the key at ``path``, made where it is missing; None where it cannot be one."""
    for step in path[:-1]:
        raw = raw.setdefault(step, {})
        if not isinstance(raw, dict):
            return None
    return raw


#: Section, list in it, and the key that each item of the list may have in a file of its own.
_SECRETS_IN_LISTS = tuple(
    (forge, *of_list)
    for forge in ("pagure", "gitlab")
    for of_list in (("hooks", "key"), ("instances", "token"))
)


def _take_secret_files(raw: dict[Any, Any], folder: Path, problems: Problems) -> None:
    """Replace every `<secret>_file` by the secret itself."""
    for path, secret in _scalars():
        if secret and (section := _section(raw, path)) is not None:
            _take_secret_file(section, path, folder, problems)
    for section_name, name, key in _SECRETS_IN_LISTS:
        section = raw.get(section_name)
        if isinstance(section, dict):
            _take_secret_files_in_list(section, (section_name, name), key, folder, problems)
    _take_secret_files_in_list(raw, ("operators",), "token", folder, problems)


def _take_secret_files_in_list(
    section: dict[Any, Any], path: tuple[str, ...], key: str, folder: Path, problems: Problems
) -> None:
    name = path[-1]
    if isinstance(section.get(name), list):
        items = [dict(item) if isinstance(item, Mapping) else item for item in section[name]]
        for number, item in enumerate(items):
            if isinstance(item, dict):
                _take_secret_file(item, (*path, number, key), folder, problems)
        section[name] = items


def _take_secret_file(section: dict[Any, Any], path: loading.Path, folder: Path, problems: Problems) -> None:
    key = str(path[-1])
    name = f"{key}_file"
    if name not in section:
        return
    place, file = (*path[:-1], name), section.pop(name)
    if key in section:
        problems.add(place, f"stands beside {key}: remove one of them")
    elif not isinstance(file, str):
        problems.add(place, "has to be the path of a file")
    elif content := _content(folder / Path(file).expanduser(), place, problems):
        section[key] = content


def _take_variables(raw: dict[Any, Any], environ: Mapping[str, str], problems: Problems) -> dict[str, str]:
    """Lay the environment over the file; returns the variables that were used by the key they set."""
    used: dict[str, str] = {}
    for path, secret in _scalars():
        key = dotted(path)
        name = variable(key)
        value: Any = environ.get(name)
        if not value and secret and environ.get(f"{name}_FILE"):
            name = f"{name}_FILE"
            value = _content(Path(environ[name]).expanduser(), (name,), problems)
        section = _section(raw, path) if value else None
        if section is not None:
            section[path[-1]] = value
            used[key] = name
    return used


def _content(file: Path, place: loading.Path, problems: Problems) -> str:
    try:
        content = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError, ValueError) as error:
        problems.add(place, f"the file {file} cannot be read ({_reason(error)})")
        return ""
    if not content:
        problems.add(place, f"the file {file} is empty")
    return content


def _reason(error: Exception) -> str:
    # str() of a UnicodeDecodeError quotes bytes of the file
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else type(error).__name__


def _shaped(values: dict[str, Any]) -> ServiceConfig:
    """Checked values as the shapes, with the defaults that follow from other keys."""
    deployment = values.get("deployment", Deployment.DEV)
    _shape_bus(values.setdefault("bus", {}), deployment)
    values["operators"] = tuple(OperatorConfig(**each) for each in values.get("operators") or ())
    pagure = values.get("pagure", {})
    values["pagure"] = {
        "instances": tuple(PagureInstance(**each) for each in pagure.get("instances") or ()),
        "hooks": tuple(HookConfig(**hook) for hook in pagure.get("hooks") or ()),
    }
    gitlab = values.get("gitlab", {})
    values["gitlab"] = {
        "instances": tuple(GitLabInstance(**each) for each in gitlab.get("instances") or ()),
        "hooks": tuple(HookConfig(**hook) for hook in gitlab.get("hooks") or ()),
    }
    for name, shape in (
        ("oidc", OidcConfig),
        ("github", GitHubConfig),
        ("copr", CoprConfig),
        ("koji", KojiConfig),
        ("packit", PackitConfig),
        ("dist_git", DistGitConfig),
        ("testing_farm", TestingFarmConfig),
        ("metrics", MetricsConfig),
        ("tracing", TracingConfig),
        ("bus", BusConfig),
        ("pagure", PagureConfig),
        ("gitlab", GitLabConfig),
        ("limits", Limits),
        ("retention", RetentionConfig),
    ):
        given = {key: value for key, value in values.get(name, {}).items() if value is not None}
        if name == "limits" and "http_timeout" in given:
            given.setdefault("settle_seconds", 2 * given["http_timeout"])
        values[name] = shape(**given)
    values["lanes"] = _lanes(values.get("lanes", {}))
    data_dir = values.setdefault("data_dir", Path(_DATA_DIR).expanduser())
    values.setdefault("database_url", f"sqlite:///{data_dir / 'journal.sqlite'}")
    values.setdefault("check_prefix", "packit" if deployment is Deployment.PROD else f"packit-{deployment}")
    return ServiceConfig(**values)


def _shape_bus(given: dict[str, Any], deployment: Deployment) -> None:
    """Certificates belong to a broker: those of Fedora's public one are not for another."""
    tls = {key: value for key, value in (given.pop("tls", None) or {}).items() if value is not None}
    public = TlsConfig() if given.get("amqp_url") else PUBLIC_TLS
    if deployment is Deployment.STG and not given.get("amqp_url"):
        given["amqp_url"], public = PUBLIC_STAGING_BROKER, PUBLIC_STAGING_TLS
    given["tls"] = replace(public, **tls)


def _lanes(given: Mapping[str, Mapping[str, int | None]]) -> Mapping[str, Lane]:
    lanes = {}
    for name, default in LANES.items():
        own = given.get(name.replace("-", "_"), {})
        lanes[name] = Lane(
            processes=own.get("processes") or default.processes,
            soft_time_limit=own.get("soft_time_limit") or default.soft_time_limit,
        )
    return lanes
