"""Every name in the manifests and in compose.yaml is one of the code: commands, lanes, keys, ports, paths, times."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from flask import Flask

from events.base import LANES
from packit_worker import cell
from packit_worker.bus import listening
from packit_worker.cli import main
from packit_worker.config.service import ServiceConfig, load_service_config
from packit_worker.interrupting import Limit
from packit_worker.web import create_app, serving

from .conftest import OPENSHIFT, ROOT
from .processes_of import (
    LANE_OF,
    command_of,
    deployed,
    environment_of,
    mounted_secrets,
    secret_files,
    words_of_the_code,
)
from .rendering import Manifest, containers, render

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
CONTAINERFILE = (OPENSHIFT / "Containerfile").read_text()


def configured(folder: Path, manifests: list[Manifest], name: str) -> ServiceConfig:
    """The configuration as the process of this name reads it, with dummies for secrets."""
    (config,) = [each for each in manifests if each["kind"] == "ConfigMap"]
    file = folder / "service.yaml"
    file.write_text(config["data"]["service.yaml"])
    environment = secret_files(folder, deployed(manifests)[name])
    assert environment["PACKIT_WORKER_CONFIG"] == "/etc/packit-worker/service.yaml"
    return load_service_config(file, environment)


def test_there_is_one_of_each_process(manifests: list[Manifest]) -> None:
    lanes = {f"worker-{lane}" for lane in LANES}
    assert set(deployed(manifests)) == lanes | {"web", "sweeper", "bus", "migrate"}


def test_the_command_lines_are_those_of_the_code(manifests: list[Manifest]) -> None:
    found = {name: command_of(manifest) for name, manifest in deployed(manifests).items()}
    for name, command in words_of_the_code().items():
        here = [*found[name]]
        # How many processes a web server has stands in its own configuration.
        assert here == [word for word in command if not word.startswith("--workers=")], name
    _is_a_command(found["bus"])
    _is_a_command(found["migrate"])


def _is_a_command(words: list[str]) -> None:
    """Raises click.UsageError for a command or an option that packit-worker has not."""
    assert words[0] == "packit-worker"
    command: click.Command = main
    context = click.Context(main)
    rest = words[1:]
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        name, found, rest = command.resolve_command(context, rest)
        assert found is not None and name is not None
        command, context = found, click.Context(found, parent=context, info_name=name)
    command.make_parser(context).parse_args(args=list(rest))


def test_a_command_that_is_none_would_be_found() -> None:
    for words in (["packit-worker", "swepper"], ["packit-worker", "db", "upgrade", "--patience=1"]):
        with pytest.raises(click.UsageError):
            _is_a_command(words)


def test_the_programs_are_installed_with_the_service() -> None:
    scripts = {each.name for each in entry_points(group="console_scripts")}
    assert {"packit-worker", "celery", "gunicorn", "fedora-messaging"} <= scripts


def test_every_process_can_read_its_configuration(tmp_path: Path, manifests: list[Manifest]) -> None:
    for name in deployed(manifests):
        settings = configured(tmp_path, manifests, name)
        assert settings.database_url == "dummy-of-database-url"
        assert settings.broker_url == "dummy-of-broker-url"
        assert str(settings.data_dir) == "/var/lib/packit-worker"


def test_secrets_are_there_for_those_who_need_them_and_for_no_others(
    tmp_path: Path, manifests: list[Manifest]
) -> None:
    configured(tmp_path, manifests, "web").check_for_serving()
    for name in ("worker-short-running", "worker-long-running", "worker-report", "sweeper"):
        settings = configured(tmp_path, manifests, name)
        assert settings.github.private_key and settings.copr.token and settings.copr.login
        assert (
            settings.testing_farm.token and settings.testing_farm.callback_token and settings.dist_git.token
        )
        assert settings.github.webhook_secret is None
        assert settings.koji.keytab == str(tmp_path / "run/secrets/accounts/koji-keytab")
    for name in ("web", "worker-parse", "bus", "migrate"):
        settings = configured(tmp_path, manifests, name)
        assert settings.github.private_key is None and settings.copr.token is None


def test_every_secret_is_explained(manifests: list[Manifest]) -> None:
    readme = (OPENSHIFT / "README.md").read_text()
    for manifest in manifests:
        for secret, key in mounted_secrets(manifest).values() if containers(manifest) else ():
            assert f"`{secret}`" in readme and f"`{key}`" in readme, (secret, key)
    for name in COMPOSE["secrets"]:
        assert f"`{name}`" in readme, name


def test_deployments_are_what_they_are_called(
    tmp_path: Path, overlay: str, manifests: list[Manifest]
) -> None:
    settings = configured(tmp_path, manifests, "web")
    assert settings.deployment.value == ("prod" if overlay == "kubernetes" else overlay)
    hosts = [each["spec"]["host"] for each in manifests if each["kind"] == "Route"]
    hosts += [
        rule["host"] for each in manifests if each["kind"] == "Ingress" for rule in each["spec"]["rules"]
    ]
    assert [f"https://{host}" for host in hosts] == [settings.server_url]


def test_workers_may_finish_what_they_are_at(tmp_path: Path, manifests: list[Manifest]) -> None:
    for name, manifest in deployed(manifests).items():
        grace = manifest["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        if lane := LANE_OF.match(name):
            limits = configured(tmp_path, manifests, name).lanes[lane["lane"]]
            assert grace > Limit(limits.soft_time_limit).hard, name
    pod = deployed(manifests)["web"]["spec"]["template"]["spec"]
    pause = int(pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod["terminationGracePeriodSeconds"] > pause + serving.graceful_timeout


def test_web_answers_its_probes(tmp_path: Path, manifests: list[Manifest], sqlite_url: str) -> None:
    settings = configured(tmp_path, manifests, "web")
    (container,) = containers(deployed(manifests)["web"])
    app: Flask = create_app(_with_database(settings, sqlite_url))
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        answer = app.test_client().get(container[probe]["httpGet"]["path"])
        assert answer.status_code == 200, probe
    assert f"--bind=0.0.0.0:{container['ports'][0]['containerPort']}" in command_of(
        deployed(manifests)["web"]
    )


def _with_database(settings: ServiceConfig, url: str) -> ServiceConfig:
    import dataclasses

    return dataclasses.replace(settings, database_url=url, broker_url="memory://")


def test_bus_is_probed_where_fedora_messaging_answers(tmp_path: Path, manifests: list[Manifest]) -> None:
    made = listening.fedora_messaging(configured(tmp_path, manifests, "bus"))
    (container,) = containers(deployed(manifests)["bus"])
    assert made["monitoring"]["port"] == container["ports"][0]["containerPort"]
    assert {container[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe")} == {"/live"}
    assert re.search(r'putChild\(b"live"', _source("fedora_messaging.twisted.monitor"))


def _source(module: str) -> str:
    import importlib.util

    spec = importlib.util.find_spec(module)
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).read_text()


def test_exec_probes_are_commands_of_the_image(manifests: list[Manifest]) -> None:
    for name, manifest in deployed(manifests).items():
        for container in containers(manifest):
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                if "exec" in container.get(probe, {}):
                    _is_a_command(container[probe]["exec"]["command"])
                    assert name == "sweeper" or LANE_OF.match(name)


def test_the_long_running_worker_holds_a_jail(manifests: list[Manifest]) -> None:
    worker = deployed(manifests)["worker-long-running"]
    jail = cell.Limits()
    (container,) = containers(worker)
    # Three places of the jail lie in memory.
    assert _bytes(container["resources"]["limits"]["memory"]) > jail.memory + 3 * jail.tmp
    (tmp,) = [each for each in worker["spec"]["template"]["spec"]["volumes"] if each["name"] == "tmp"]
    assert _bytes(tmp["emptyDir"]["sizeLimit"]) > jail.disk + jail.free_disk


def _bytes(quantity: str) -> int:
    return int(quantity[:-2]) * {"Mi": 2**20, "Gi": 2**30}[quantity[-2:]]


# -- what README.md tells to do --


def test_what_is_applied_first_is_all_that_the_migration_needs(manifests: list[Manifest]) -> None:
    readme = (OPENSHIFT / "README.md").read_text()
    (components,) = re.findall(r"FIRST='app.kubernetes.io/component in \((.+)\)'", readme)
    first = {
        (each["kind"], each["metadata"]["name"])
        for each in manifests
        if each["metadata"]["labels"]["app.kubernetes.io/component"] in components.split(", ")
    }
    assert {("Job", "migrate"), ("ConfigMap", "packit-worker")} <= first
    named = {(each["kind"], each["metadata"]["name"]) for each in manifests}
    for kind in ("NetworkPolicy", "StatefulSet", "ServiceAccount"):
        assert {each for each in named if each[0] == kind} <= first
    assert {("Service", "redis"), ("Service", "postgresql")} & named <= first
    assert not [each for each in first if each[0] in ("Route", "Ingress")]
    assert [name for kind, name in first if kind == "Deployment"] == ["redis"]


def test_the_question_whether_a_jail_can_be_had_gets_an_answer() -> None:
    readme = (OPENSHIFT / "README.md").read_text()
    (code,) = re.findall(r"python -c '(.+)'", readme)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "yes\n" or "install" in done.stdout or "user namespaces" in done.stdout


# -- compose --


def test_compose_is_valid() -> None:
    from compose_spec import ComposeSpecification

    parsed = ComposeSpecification.model_validate(COMPOSE)
    assert parsed.services is not None
    assert set(parsed.services) == {*deployed(render(OPENSHIFT / "overlays" / "dev")), "redis", "postgresql"}


def test_compose_runs_the_same_processes_with_the_same_secrets() -> None:
    for name, manifest in deployed(render(OPENSHIFT / "overlays" / "dev")).items():
        service = COMPOSE["services"][name]
        assert service["command"] == command_of(manifest), name
        assert service["image"] == containers(manifest)[0]["image"]
        paths = {value for value in service["environment"].values() if value.startswith("/run/secrets/")}
        assert (
            {path.rpartition("/")[2] for path in paths} == set(service["secrets"]) <= set(COMPOSE["secrets"])
        )
        missing = set(environment_of(manifest)) - set(service["environment"]) - {"PACKIT_WORKER_CONFIG"}
        needs_accounts = {"DIST_GIT_TOKEN_FILE", "KOJI_KEYTAB", "FASJSON_KEYTAB"}
        assert missing <= {f"PACKIT_WORKER_{key}" for key in needs_accounts}, name
        if name != "migrate":
            grace = manifest["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
            assert int(service["stop_grace_period"].removesuffix("s")) >= grace - 10, name


def test_compose_s_configuration_can_be_read(tmp_path: Path) -> None:
    for name, service in COMPOSE["services"].items():
        if name in ("redis", "postgresql"):
            continue
        environment = dict(service["environment"])
        for key, place in environment.items():
            if place.startswith("/run/secrets/"):
                file = tmp_path / place.rpartition("/")[2]
                file.write_text("dummy")
                environment[key] = str(file)
        settings = load_service_config(OPENSHIFT / "compose" / "service.yaml", environment)
        assert settings.bus.monitoring_port == 8001
        if name == "web":
            settings.check_for_serving()


# -- the image --


def test_the_image_is_built_of_what_is_there(tmp_path: Path) -> None:
    """What the Containerfile copies is enough to make the package, with all files that it needs."""
    for line in re.findall(r"^COPY ((?!--).+)$", CONTAINERFILE, re.MULTILINE):
        *sources, target = line.split()
        for source in sources:
            place = tmp_path / target.removeprefix("/")
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                place.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / source, place)
    code = "import setuptools; setuptools.setup()"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, "-q", "build", "--build-base", str(tmp_path / "build")],
        cwd=tmp_path / "src",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    built = tmp_path / "build" / "lib"
    tracked = subprocess.run(
        ["git", "ls-files", "events", "parsers", "packit_worker"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    missing = [name for name in tracked if not (built / name).exists() and not name.endswith(".md")]
    assert missing == []


def test_the_image_is_what_the_manifests_expect() -> None:
    assert re.search(r"^USER (?!0)\d+:0$", CONTAINERFILE, re.MULTILINE)
    assert "PACKIT_WORKER_CONFIG=/etc/packit-worker/service.yaml" in CONTAINERFILE
    assert "HOME=/var/lib/packit-worker" in CONTAINERFILE
    for program in ("bubblewrap", "packit", "rpm-build", "git-core", "curl"):
        assert re.search(rf"\s{program}\s", CONTAINERFILE), program
