"""The renderer of the tests renders what kustomize renders, and refuses what it does not know."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import OPENSHIFT
from .rendering import Manifest, name_of, render

#: What kustomize puts behind the name of a generated ConfigMap.
_HASH = re.compile(r"-[0-9a-z]{10}$")


def kustomize() -> list[str] | None:
    if shutil.which("kustomize"):
        return ["kustomize", "build"]
    return ["kubectl", "kustomize"] if shutil.which("kubectl") else None


@pytest.mark.skipif(kustomize() is None, reason="there is no kustomize here")
def test_it_renders_what_kustomize_renders(overlay: str, manifests: list[Manifest]) -> None:
    command = kustomize()
    assert command is not None
    done = subprocess.run(
        [*command, str(OPENSHIFT / "overlays" / overlay)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    theirs = list(yaml.safe_load_all(done.stdout))
    (generated,) = [name_of(each) for each in theirs if each["kind"] == "ConfigMap"]
    assert _HASH.search(generated), (
        "a changed configuration has to have a new name, so that pods are replaced"
    )
    assert _by_name(manifests) == _by_name([_without_hash(each, generated) for each in theirs])


def _without_hash(value: Any, generated: str) -> Any:
    if isinstance(value, dict):
        return {key: _without_hash(each, generated) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_hash(each, generated) for each in value]
    return _HASH.sub("", generated) if value == generated else value


def _by_name(manifests: list[Manifest]) -> dict[tuple[str, str], Manifest]:
    found = {(each["kind"], name_of(each)): each for each in manifests}
    assert len(found) == len(manifests), "two have the same name"
    return found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("namePrefix: my-\n", "namePrefix"),
        ("patches: [{target: {kind: Job, namespace: x}, patch: '[]'}]\n", "namespace"),
        ("patches: [{target: {kind: Job}, patch: '[]'}]\n", "there is nothing"),
        ("configMapGenerator: [{name: a, literals: [a=b], options: {labels: {}}}]\n", "literals"),
    ],
)
def test_what_it_does_not_know_is_an_error(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "kustomization.yaml").write_text(text)
    with pytest.raises(ValueError, match=words):
        render(tmp_path)
