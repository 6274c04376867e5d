"""What fedora-stable and the like stand for, behind ``ports.Aliases``. Imported by ``services`` only.

The rules are those of fedora-distro-aliases, the releases those of Bodhi: https://bodhi.fedoraproject.org/docs
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import fedora_distro_aliases

from packit_worker.clients.caching import Remembered
from packit_worker.clients.http import Http
from packit_worker.errors import TemporaryError

BODHI_URL = "https://bodhi.fedoraproject.org"
#: Seconds for which the releases are good: they change a few times a year.
GOOD_FOR = 6 * 3600.0
#: The states of releases that the library asks Bodhi for.
STATES = ("current", "pending", "frozen")
#: A name that carries a version stands for itself, and nobody is asked: fedora-43, epel-10, fedora-rawhide-x86_64.
_PLAIN = re.compile(r".+-(\d[\d.]*|rawhide|eln)(-\w+)?")

_rules = threading.Lock()


class DistributionAliases:
    """Aliases from the configuration, then from Bodhi. Safe to use from several threads.

    ``overrides`` maps an alias to distribution names and needs no network. ``url`` is another Bodhi's. ``timeout`` is
    in seconds.
    """

    def __init__(
        self,
        overrides: Mapping[str, Sequence[str]] | None = None,
        url: str | None = None,
        *,
        timeout: float = 10.0,
    ) -> None:
        self._overrides = {alias: tuple(names) for alias, names in (overrides or {}).items()}
        self._http = Http("Bodhi", url or BODHI_URL, timeout=timeout)
        self._known = Remembered(self._fetch, seconds=GOOD_FOR)

    def expand(self, alias: str) -> tuple[str, ...] | None:
        """Distribution names with version, newest first; None for a name that is no alias.

        A call or two every six hours. Raises TemporaryError when Bodhi is away and nothing is remembered.
        """
        if alias in self._overrides:
            return self._overrides[alias]
        if _PLAIN.fullmatch(alias):
            return None
        return self._known.get().get(alias)

    def _fetch(self) -> dict[str, tuple[str, ...]]:
        releases: list[Any] = []
        page = pages = 1
        while page <= pages:
            answer = self._http.json(
                "GET", "releases/", write=False, params={"state": STATES, "page": page, "rows_per_page": 100}
            )
            releases.extend(answer["releases"])
            pages = int(answer.get("pages") or 1)
            page += 1
        try:
            return _apply_rules(releases)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise TemporaryError(f"Bodhi's releases are in an unknown form: {error!r}") from error


def _apply_rules(releases: list[Any]) -> dict[str, tuple[str, ...]]:
    """The library's aliases for these releases.

    It fetches them itself, from a fixed place and without a time-out; so its function that does is exchanged for the
    instant of the computation. Nothing else in this process uses the library.
    """
    with _rules:
        original = fedora_distro_aliases.bodhi_active_releases
        fedora_distro_aliases.bodhi_active_releases = lambda: releases
        try:
            aliases = fedora_distro_aliases.get_distro_aliases()
        finally:
            fedora_distro_aliases.bodhi_active_releases = original
    return {
        alias: tuple(distro.namever for distro in reversed(distros)) for alias, distros in aliases.items()
    }
