"""The manifests of every overlay."""

from __future__ import annotations

from pathlib import Path

import pytest

from .rendering import Manifest, render

ROOT = Path(__file__).parents[2]
OPENSHIFT = ROOT / "openshift"
OVERLAYS = sorted(path.name for path in (OPENSHIFT / "overlays").iterdir())


@pytest.fixture(params=OVERLAYS)
def overlay(request: pytest.FixtureRequest) -> str:
    """The name of an overlay, one after the other."""
    name: str = request.param
    return name


@pytest.fixture
def manifests(overlay: str) -> list[Manifest]:
    """What it comes to."""
    return render(OPENSHIFT / "overlays" / overlay)
