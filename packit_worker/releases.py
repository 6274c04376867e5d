"""Releases on their way to dist-git: versions from tags, names of branches, titles. Pure; handlers use it."""

from __future__ import annotations

import hashlib
import re

from packit_worker.errors import UserError
from packit_worker.patterns import compiled

#: What a configuration that names no branch of dist-git means.
DEFAULT_BRANCHES = ("rawhide",)
#: Seconds before an archive that is not there yet is looked for again: doubled each time, up to the second.
FIRST_DELAY, LONGEST_DELAY = 15.0, 240.0
#: What packit says of an archive that it cannot download.
NOT_DOWNLOADED = "Failed to download file from URL"

#: What RPM takes for a version (https://rpm-software-management.github.io/rpm/man/rpm-version.7), and the dash, which
#: packit replaces.
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~^-]*")
_FIELD = "{version}"


def version_of(tag: str, template: str, package: str | None = None) -> str:
    """The version that a tag is for: of ``v1.2`` with the template ``v{version}`` it is ``1.2``. Raises UserError."""
    filled = template.replace("{upstream_package_name}", package or "")
    before, field, after = filled.partition(_FIELD)
    if not field:
        raise UserError(
            f"upstream_tag_template has no {_FIELD}: no version can be told from a tag",
            next_step="Correct upstream_tag_template in the package configuration, e.g. v{version}.",
        )
    version = tag.removeprefix(before).removesuffix(after)
    if f"{before}{version}{after}" != tag or not version:
        raise UserError(
            f"the tag {tag} does not fit the template {template}, by which versions are told from tags",
            next_step="Correct upstream_tag_template in the package configuration, or name the tag by it.",
        )
    if not _VERSION.fullmatch(version) or ".." in version or version.endswith((".", ".lock")):
        raise UserError(
            f"{version[:100]} cannot be the version of a package",
            next_step="Set upstream_tag_template in the package configuration, so that it leaves the version alone.",
        )
    return version


def why_left_out(tag: str, include: str | None, exclude: str | None) -> str | None:
    """Why a tag is no release for the configuration (``upstream_tag_include``, ``upstream_tag_exclude``), or None."""
    try:
        if include and not compiled(include, "upstream_tag_include").match(tag):
            return f"the tag {tag} does not match upstream_tag_include"
        if exclude and compiled(exclude, "upstream_tag_exclude").match(tag):
            return f"the tag {tag} matches upstream_tag_exclude"
    except UserError as error:
        return f"{error}: {error.next_step}"
    return None


def head_branch(version: str, branch: str) -> str:
    """The branch in our fork that an update comes from. By it the pull request is found again."""
    return f"{version}-{branch}-update"


def title(version: str, branch: str) -> str:
    """The title of a pull request in dist-git."""
    return f"[{branch}] Update to {version}"


def marker(project_url: str, tag: str) -> str:
    """What the one issue about a release holds; by it the issue is found again."""
    digest = hashlib.sha256(f"propose_downstream {project_url} {tag}".encode()).hexdigest()
    return f"<!-- packit_worker:{digest} -->"


def delay(attempts: int) -> float:
    """Seconds until the archive of a release is looked for again, after so many attempts."""
    return float(min(FIRST_DELAY * 2 ** min(max(attempts - 1, 0), 10), LONGEST_DELAY))
