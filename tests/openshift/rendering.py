"""Renders what stands in ``openshift/`` as kustomize does, where there is no kustomize: it comes in no Python package.

Just the features that are used there: resources, components, configMapGenerator with files (without the hash in its
name), images, replicas, and patches in the form of JSON Patch with a target. Whatever else stands in a kustomization is
an error. ``test_rendering`` compares the result with kustomize's own on machines that have it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonpatch
import yaml

Manifest = dict[str, Any]

_KNOWN = {
    *("apiVersion", "kind", "resources", "components"),
    *("configMapGenerator", "images", "patches", "replicas"),
}


def render(folder: Path) -> list[Manifest]:
    """All manifests of the kustomization in a folder."""
    return _layer(folder, [])


def _layer(folder: Path, below: list[Manifest]) -> list[Manifest]:
    layer = yaml.safe_load((folder / "kustomization.yaml").read_text())
    if unknown := set(layer) - _KNOWN:
        raise ValueError(f"{folder}: nobody here can render {', '.join(sorted(unknown))}")
    manifests = list(below)
    for name in layer.get("resources", []):
        place = folder / name
        manifests += render(place) if place.is_dir() else list(yaml.safe_load_all(place.read_text()))
    for name in layer.get("components", []):
        manifests = _layer(folder / name, manifests)
    manifests += [_config_map(folder, generator) for generator in layer.get("configMapGenerator", [])]
    for patch in layer.get("patches", []):
        manifests = _patched(folder, patch, manifests)
    for manifest in manifests:
        for container in containers(manifest):
            _name_image(container, layer.get("images", []))
        for replicas in layer.get("replicas", []):
            if manifest["kind"] in ("Deployment", "StatefulSet") and name_of(manifest) == replicas["name"]:
                manifest["spec"]["replicas"] = replicas["count"]
    return manifests


def _config_map(folder: Path, generator: Manifest) -> Manifest:
    if unknown := set(generator) - {"name", "files", "options"} | set(generator["options"]) - {"labels"}:
        raise ValueError(f"{folder}: nobody here can generate with {', '.join(sorted(unknown))}")
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": generator["name"], "labels": generator["options"]["labels"]},
        "data": {name: (folder / name).read_text() for name in generator["files"]},
    }


def _patched(folder: Path, patch: Manifest, manifests: list[Manifest]) -> list[Manifest]:
    text = (folder / patch["path"]).read_text() if "path" in patch else patch["patch"]
    operations = jsonpatch.JsonPatch(yaml.safe_load(text))
    target = dict(patch["target"])
    kind, name = target.pop("kind"), target.pop("name", ".*")
    label, _, value = target.pop("labelSelector", "").partition("=")
    if target:
        raise ValueError(f"{folder}: nobody here can look for {', '.join(sorted(target))}")
    made, hits = [], 0
    for manifest in manifests:
        fits = (
            re.fullmatch(kind, manifest["kind"])
            and re.fullmatch(name, name_of(manifest))
            and (not label or manifest["metadata"].get("labels", {}).get(label) == value)
        )
        hits += bool(fits)
        made.append(operations.apply(manifest) if fits else manifest)
    if not hits:
        raise ValueError(f"{folder}: there is nothing that is {patch['target']}")
    return made


def _name_image(container: Manifest, images: list[Manifest]) -> None:
    for image in images:
        if container["image"] == image["name"]:
            container["image"] = f"{image['newName']}:{image['newTag']}"


def name_of(manifest: Manifest) -> str:
    """A manifest's name."""
    name: str = manifest["metadata"]["name"]
    return name


def pod_of(manifest: Manifest) -> Manifest | None:
    """The template of the pods that a manifest makes, if it makes any."""
    template: Manifest | None = manifest.get("spec", {}).get("template")
    return template


def containers(manifest: Manifest) -> list[Manifest]:
    """The containers of those pods."""
    pod = pod_of(manifest)
    return [] if pod is None else [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]
