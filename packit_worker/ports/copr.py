"""Copr: projects, orders and builds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class CoprProject:
    """How a Copr project shall be set up. ``delete_after_days`` None: kept for ever."""

    owner: str
    name: str
    chroots: tuple[str, ...]
    description: str = ""
    instructions: str = ""
    additional_repos: tuple[str, ...] = ()
    unlisted_on_hp: bool = True
    delete_after_days: int | None = 60
    enable_net: bool = False
    bootstrap: str | None = None
    module_hotfixes: bool = False
    #: Of some chroots what they have beside: ``additional_packages``, ``additional_repos``, ``additional_modules``,
    #: ``with_opts``, ``without_opts``, each a list.
    chroot_settings: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"


@dataclass(frozen=True, kw_only=True)
class CoprOrder:
    """A build to be made in Copr: the SRPM is made there too, by ``script`` (source method "custom").

    ``marker`` is a line of the script; by it the build is found again when no answer came to the order.
    """

    owner: str
    project: str
    chroots: tuple[str, ...]
    script: str
    script_chroot: str
    script_builddeps: tuple[str, ...]
    marker: str
    enable_net: bool = False
    timeout: int | None = None


@dataclass(frozen=True, kw_only=True)
class CoprBuild:
    """A build as Copr has it. ``chroots`` maps chroot -> Copr's word for its state."""

    id: int
    url: str
    owner: str = ""
    project: str = ""
    state: str = ""
    package: str | None = None
    chroots: Mapping[str, str] = field(default_factory=dict)


class Copr(Protocol):
    """Copr: https://copr.fedorainfracloud.org/api_3."""

    @property
    def account(self) -> str:
        """The account the service works as."""

    def available_chroots(self) -> frozenset[str]:
        """Names of the chroots that Copr can build in (those starting with an underscore left out)."""

    def ensure_project(self, project: CoprProject) -> None:
        """Create the project, or add what it lacks: chroots are only ever added. Safe to repeat.

        Raises Refused where we may not change it, with Copr's words.
        """

    def build(self, order: CoprOrder) -> CoprBuild:
        """Order a build. One call."""

    def find_build(self, order: CoprOrder) -> CoprBuild | None:
        """The build that was ordered with this marker, if Copr has it."""

    def get_build(self, build_id: int) -> CoprBuild:
        """A build with the state of each chroot. Raises NotFound."""

    def cancel_build(self, build_id: int) -> None:
        """Cancel a build that has not ended. One that has ended stays as it is."""

    def build_url(self, build_id: int) -> str:
        """The build's web page."""

    def log_url(self, build: CoprBuild, chroot: str) -> str:
        """The build log of one chroot."""
