"""Where a package of dist-git comes from: the upstream project that its spec file names. Pure; handlers use it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from packit_worker.config.package import PackageConfig
from packit_worker.errors import UserError
from parsers.forms import page

NAME_IT = "Set upstream_project_url in the package configuration to the page of the upstream project."

#: https://rpm-software-management.github.io/rpm/manual/spec.html: tags stand at the beginning of a line, in any case.
_URL = re.compile(r"^[ \t]*URL[ \t]*:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)


def told_url(spec: str) -> str | None:
    """The URL tag of a spec file as it is written; None where there is none. It may hold macros."""
    found = _URL.search(spec)
    return found[1] if found else None


def has_macros(url: str) -> bool:
    """Whether only RPM knows what is meant."""
    return "%" in url


def project_url(told: str) -> str:
    """The address of a project's page out of what a person has written. Raises UserError for what is none.

    Everything that is shown today is shown over https; http stays on machines without it.
    """
    try:
        parts = urlsplit(told.strip())
        host, port = parts.hostname or "", parts.port
        found = page(f"{parts.scheme}://{parts.netloc}{parts.path}")
    except ValueError as error:
        raise UserError(f"{told[:200]!r} is no address of an upstream project", next_step=NAME_IT) from error
    if parts.scheme == "http" and port is None and host != "localhost":
        return f"https://{found.removeprefix('http://')}"
    return found


def package_of(config: PackageConfig, name: str) -> str | None:
    """Which package of upstream's monorepo is called so in dist-git; None where there are no several.

    Raises UserError where none is.
    """
    if not config.is_monorepo:
        return None
    for key, settings in config.packages.items():
        if settings.downstream_package_name == name:
            return key
    raise UserError(
        f"None of the packages in upstream's {config.path} is called {name} in dist-git",
        next_step="Set downstream_package_name of the package in upstream's configuration.",
    )


def head_branch(branch: str) -> str:
    """The branch upstream that changes of a branch of dist-git come from. By it the pull request is found again."""
    return f"{branch}-downstream-sync"
