"""The topics, and fedora-messaging's configuration: as generated, as documented, as fedora-messaging reads it."""

from __future__ import annotations

import copy
import tomllib
from pathlib import Path
from typing import Any

import pytest
from fedora_messaging.config import DEFAULTS, LazyConfig

from packit_worker.bus import listening
from packit_worker.config.service import Deployment, from_mapping
from parsers.registry import kind_of_message, registered

EXAMPLE = Path(__file__).parents[2] / "openshift" / "fedora-messaging.toml"
QUEUE = "00000000-0000-0000-0000-000000000000"
PRODUCTION = {"deployment": "prod", "server_url": "https://packit.example.org", "bus": {"queue": QUEUE}}


def read(tmp_path: Path, text: str) -> LazyConfig:
    """As fedora-messaging reads a file; it raises for what it does not know."""
    file = tmp_path / "fedora-messaging.toml"
    file.write_text(text)
    return LazyConfig().load_config(str(file))


def test_the_example_is_what_is_generated_for_production() -> None:
    made = listening.fedora_messaging(from_mapping(PRODUCTION))
    assert tomllib.loads(EXAMPLE.read_text()) == made
    assert tomllib.loads(listening.toml(made)) == made


@pytest.mark.parametrize(
    "bus",
    [
        {},
        {"queue": QUEUE},
        {"queue": "packit prod", "passive_declares": True},
        {"amqp_url": "amqp://guest:geheim@127.0.0.1:5672/%2F"},
        {"monitoring_port": 8001},
        {"tls": {"ca_cert": '/a "quoted"\\path\x7f\n'}},
    ],
)
@pytest.mark.parametrize("deployment", list(Deployment))
def test_fedora_messaging_takes_it(tmp_path: Path, bus: dict[str, Any], deployment: Deployment) -> None:
    made = listening.fedora_messaging(from_mapping({"deployment": deployment.value, "bus": bus}))
    conf = read(tmp_path, listening.toml(made))
    for key, value in made.items():
        # fedora-messaging adds what it says about itself.
        assert (value.items() <= conf[key].items()) if key == "client_properties" else conf[key] == value
    for key in DEFAULTS:
        assert key in conf
    assert conf["callback"] == "packit_worker.bus:Consumer"
    assert copy.deepcopy(conf["bindings"])[0]["routing_keys"] == list(listening.topics(deployment))


def test_the_defaults_are_fedora_s_public_brokers() -> None:
    made = listening.fedora_messaging(from_mapping({}))
    assert made["amqp_url"] == "amqps://fedora:@rabbitmq.fedoraproject.org/%2Fpublic_pubsub"
    assert made["tls"] == {
        "ca_cert": "/etc/fedora-messaging/cacert.pem",
        "keyfile": "/etc/fedora-messaging/fedora-key.pem",
        "certfile": "/etc/fedora-messaging/fedora-cert.pem",
    }
    staging = listening.fedora_messaging(from_mapping({"deployment": "stg"}))
    assert staging["amqp_url"] == "amqps://fedora.stg:@rabbitmq.stg.fedoraproject.org/%2Fpublic_pubsub"
    assert staging["tls"]["keyfile"] == "/etc/fedora-messaging/fedora.stg-key.pem"
    # Without a name it is fedora-messaging's own default: a queue that ends with the connection.
    assert "queues" not in made and "queue" not in made["bindings"][0]


def test_a_password_is_shown_to_fedora_messaging_only() -> None:
    settings = from_mapping({"bus": {"amqp_url": "amqps://packit:geheim%2F@host/%2Fv"}})
    assert listening.fedora_messaging(settings)["amqp_url"] == "amqps://packit:geheim%2F@host/%2Fv"
    shown = listening.fedora_messaging(settings, shows_password=False)["amqp_url"]
    assert shown == "amqps://packit:***@host/%2Fv"


def test_every_deployment_listens_to_its_own() -> None:
    for deployment in Deployment:
        topics = listening.topics(deployment)
        assert len(set(topics)) == len(topics)
        assert {topic.split(".")[2] for topic in topics} == {deployment.value}
        for name in ("copr.build.start", "copr.build.end", "git.receive", "pagure.git.receive"):
            assert f"org.fedoraproject.{deployment}.{name}" in topics


def test_what_is_listened_to_is_what_is_parsed() -> None:
    """Closing a pull request is written down as ignored: nothing follows from it."""
    kinds = {kind_of_message("fedora-messaging", topic) for topic in listening.topics(Deployment.PROD)}
    names = {kind.name for kind in kinds if kind is not None}
    assert None not in kinds
    parsed = {name for source, name in registered() if source == "fedora-messaging"}
    assert names - parsed == {"pagure.pull-request.closed"}
    assert parsed - names == set()
