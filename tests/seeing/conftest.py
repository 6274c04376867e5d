"""The world of stories, for what operators see of it."""

from __future__ import annotations

from stories.conftest import make_world, sandbox, shared_sandbox, world

__all__ = ["make_world", "sandbox", "shared_sandbox", "world"]
