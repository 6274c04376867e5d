"""What manifests and the code say of the same things: command lines, environment, secrets, graces."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from packit_worker import processes

from .rendering import Manifest, containers, name_of, pod_of

SERVICE_LABELS = {"app.kubernetes.io/name": "packit-worker"}
#: The component of a worker -> its lane.
LANE_OF = re.compile(r"^worker-(?P<lane>.+)$")


def deployed(manifests: list[Manifest]) -> dict[str, Manifest]:
    """The Deployments and Jobs of the service itself, by name."""
    return {
        name_of(each): each
        for each in manifests
        if pod_of(each) and SERVICE_LABELS.items() <= each["metadata"]["labels"].items()
    }


def command_of(manifest: Manifest) -> list[str]:
    """The command line of a manifest's one container; empty where it is the image's own."""
    (container,) = containers(manifest)
    return [*container.get("command", []), *container.get("args", [])]


def environment_of(manifest: Manifest) -> dict[str, str]:
    """The environment of a manifest's one container. None of it comes from elsewhere."""
    (container,) = containers(manifest)
    assert "envFrom" not in container
    return {each["name"]: each["value"] for each in container.get("env", [])}


def words_of_the_code() -> dict[str, list[str]]:
    """Every process's command line as ``packit_worker.processes`` has it, in the form that manifests use."""
    made = {"web": processes.web("0.0.0.0", 8000), "sweeper": processes.sweeper()}
    made |= {
        f"worker-{name}": processes.lane(name)
        for name in ("parse", "short-running", "long-running", "report")
    }
    return {name: list(_joined(process.command)) for name, process in made.items()}


def _joined(command: tuple[str, ...]) -> Iterator[str]:
    """Without the interpreter, and each option with its value as one word."""
    program = {"packit_worker.cli": "packit-worker"}
    words = list(command)
    assert words[:2] == [sys.executable, "-m"]
    yield program.get(words[2], words[2])
    rest = iter(words[3:])
    flags = {"--without-gossip", "--without-mingle", "--without-heartbeat"}
    for word in rest:
        yield f"{word}={next(rest)}" if word.startswith("--") and word not in flags else word


def secret_files(folder: Path, manifest: Manifest) -> dict[str, str]:
    """Write dummies of the secrets that a pod mounts, and return its environment with the paths of these.

    Raises AssertionError for a file that no mount of the pod would bring.
    """
    environment = environment_of(manifest)
    for name, place in environment.items():
        if place.startswith("/run/secrets/"):
            assert place in mounted_secrets(manifest), f"{name} names {place}, which nothing mounts"
            file = folder / place.removeprefix("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"dummy-of-{file.name}\n")
            environment[name] = str(file)
    return environment


def mounted_secrets(manifest: Manifest) -> dict[str, tuple[str, str]]:
    """Files below /run/secrets that a pod could read by name: path -> (secret, key)."""
    (container,) = containers(manifest)
    pod = pod_of(manifest)
    assert pod is not None
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes", [])}
    claimed = {claim["metadata"]["name"] for claim in manifest["spec"].get("volumeClaimTemplates", [])}
    wanted = [
        word
        for word in (*environment_of(manifest).values(), *command_of(manifest))
        if "/run/secrets/" in word
    ]
    found = {}
    for mount in container["volumeMounts"]:
        assert mount["name"] in volumes or mount["name"] in claimed, f"no volume is called {mount['name']}"
        for secret, items in _secrets(volumes.get(mount["name"], {})):
            for place in wanted:
                folder, _, key = place.rpartition("/")
                if folder == mount["mountPath"] and (items is None or key in items):
                    found.setdefault(place, (secret, key))
    return found


def _secrets(volume: Mapping[str, Any]) -> Iterator[tuple[str, list[str] | None]]:
    """The secrets of a volume, the most particular first, with the keys that are taken of each; None: all."""
    if "secret" in volume:
        yield volume["secret"]["secretName"], None
    sources = volume.get("projected", {}).get("sources", [])
    for source in sorted(sources, key=lambda source: "items" not in source["secret"]):
        items = source["secret"].get("items")
        yield source["secret"]["name"], [item["path"] for item in items] if items else None
