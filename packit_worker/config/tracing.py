"""Where traces are sent. Part of the service's configuration."""

from __future__ import annotations

from dataclasses import dataclass

from packit_worker.config.secret import Secret


@dataclass(frozen=True, kw_only=True)
class TracingConfig:
    """Nowhere without an ``endpoint``, which takes OTLP over HTTP; ``sample_rate`` is the part of deliveries traced."""

    endpoint: str | None = None
    token: Secret | None = None
    sample_rate: float = 1.0
