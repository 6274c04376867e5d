"""The world of stories, for what only the whole service can show."""

from __future__ import annotations

from stories.conftest import make_world, sandbox, shared_sandbox, world

__all__ = ["make_world", "sandbox", "shared_sandbox", "world"]
