"""What is listened to on Fedora's bus: the topics, and the configuration of fedora-messaging that follows from ours.

Used by the bus's door and the command line.
https://fedora-messaging.readthedocs.io/en/stable/user-guide/configuration.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from packit_worker.config.service import Deployment, ServiceConfig

CALLBACK = "packit_worker.bus:Consumer"

#: What Copr, Koji and the dist-git before Pagure tell. These stand behind ``org.fedoraproject.<deployment>.``
SERVICES = (
    "copr.build.start",
    "copr.build.end",
    "buildsys.task.state.change",
    "buildsys.build.state.change",
    "git.receive",
)
#: What a Pagure tells; src.fedoraproject.org and pagure.io each have a prefix of their own.
PAGURE = (
    "pagure.git.receive",
    "pagure.pull-request.new",
    "pagure.pull-request.updated",
    "pagure.pull-request.rebased",
    "pagure.pull-request.reopened",
    "pagure.pull-request.closed",
    "pagure.pull-request.comment.added",
    "pagure.pull-request.comment.edited",
)

#: Messages that the broker may hand over before the first of them is acknowledged.
_PREFETCH = 10


def topics(deployment: Deployment) -> tuple[str, ...]:
    """Every topic that a deployment listens to."""
    fedora, pagure = f"org.fedoraproject.{deployment}", f"io.pagure.{deployment}"
    return (
        *(f"{fedora}.{name}" for name in (*SERVICES, *PAGURE)),
        *(f"{pagure}.{name}" for name in PAGURE),
    )


def fedora_messaging(settings: ServiceConfig, *, shows_password: bool = True) -> dict[str, Any]:
    """fedora-messaging's configuration. Without ``shows_password`` that of the broker's URL is stars."""
    bus = settings.bus
    binding: dict[str, Any] = {"exchange": "amq.topic", "routing_keys": list(topics(settings.deployment))}
    made: dict[str, Any] = {
        "amqp_url": bus.amqp_url if shows_password else _without_password(bus.amqp_url),
        "callback": CALLBACK,
        "passive_declares": bus.passive_declares,
        # fedora-messaging does not merge sections: what is named has to be whole.
        "tls": {name: file or "" for name, file in asdict(bus.tls).items()},
        "client_properties": {"app": "packit-worker", "app_url": settings.server_url},
        "qos": {"prefetch_size": 0, "prefetch_count": _PREFETCH},
    }
    if bus.queue:
        kept = {"durable": True, "auto_delete": False, "exclusive": False, "arguments": {}}
        made["queues"] = {bus.queue: kept}
        binding = {"queue": bus.queue, **binding}
    made["bindings"] = [binding]
    if bus.monitoring_port:
        made["monitoring"] = {"address": "0.0.0.0", "port": bus.monitoring_port}  # noqa: S104 - probes come from outside
    # The callback sends all logs where ours go, without secrets; "incremental" leaves that alone. With WARNING,
    # .message would say of each message that the package with its schema is missing. None is used: see the README.
    made["log_config"] = {
        "version": 1,
        "incremental": True,
        "loggers": {
            "fedora_messaging": {"level": "WARNING"},
            "fedora_messaging.message": {"level": "ERROR"},
            "pika": {"level": "WARNING"},
        },
    }
    return made


def toml(made: Mapping[str, Any]) -> str:
    """A configuration as TOML: texts, numbers, lists of texts, tables, and lists of tables."""
    return "\n".join(_lines(made, ())) + "\n"


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    tables = {key: value for key, value in table.items() if _is_table(value)}
    for key, value in table.items():
        if key not in tables:
            yield f"{_key(key)} = {_value(value)}"
    for key, value in tables.items():
        name = ".".join(map(_key, (*path, key)))
        for each, header in (
            [(value, f"[{name}]")]
            if isinstance(value, Mapping)
            else [(item, f"[[{name}]]") for item in value]
        ):
            yield ""
            yield header
            yield from _lines(each, (*path, key))


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping) or (
        isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)
    )


def _key(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() and key.isascii() else _value(key)


def _value(value: Any) -> str:
    if isinstance(value, list):
        inside = "".join(f"    {_value(item)},\n" for item in value)
        return f"[\n{inside}]" if value else "[]"
    # Texts, numbers and truth look in TOML as they do in JSON, but for one character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _without_password(url: str) -> str:
    password = urlsplit(url).password
    return url.replace(f":{password}@", ":***@", 1) if password else url
