"""Kinds of values in the service's configuration that are secrets. For the schemas of this folder only."""

from __future__ import annotations

from typing import Any

from packit_worker.config.package_fields import Text
from packit_worker.config.secret import Secret


class SecretText(Text):
    """A text that is a secret from then on."""

    def __init__(self, *, required: bool = False, **kwargs: Any) -> None:
        super().__init__(allow_none=not required, required=required, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return (
            value if isinstance(value, Secret) else Secret(super()._deserialize(value, attr, data, **kwargs))
        )
