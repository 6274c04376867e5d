"""Fedora's accounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class FasAccount:
    """A Fedora account, as it is published: whose GitHub account it claims to be, and its groups."""

    login: str
    github_username: str | None
    groups: tuple[str, ...] = ()


class FasJson(Protocol):
    """Fedora's accounts: https://fasjson.fedoraproject.org/docs/v1/."""

    def account(self, login: str) -> FasAccount:
        """An account with its groups. Two calls. Raises NotFound."""

    def of_github(self, github_username: str) -> FasAccount | None:
        """The account that claims this GitHub account, without its groups; None where there is none. One call."""
