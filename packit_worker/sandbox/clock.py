"""The sandbox's times: ISO strings as GitHub and Testing Farm write them. Used inside the sandbox only."""

from datetime import UTC, datetime


def iso_now() -> str:
    """The time now in UTC with seconds, as GitHub writes it: ``2026-11-24T07:30:00Z``."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def precise_now() -> str:
    """The time now in UTC with microseconds and without a zone, as Testing Farm writes it."""
    return datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


def iso_from(seconds: float) -> str:
    """The time `seconds` after the epoch in the form of `iso_now`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_from(iso: str) -> int:
    """The seconds since the epoch of a time in the form of `iso_now`."""
    return int(datetime.fromisoformat(iso).timestamp())
