"""What is said of builds in Copr."""

from __future__ import annotations

from packit_worker.ports import CheckStatus, Conclusion
from packit_worker.reporting.markdown import code_block
from packit_worker.reporting.trouble import REFUSED_NEXT
from packit_worker.reporting.words import Words, capital


def build_submitted(chroot: str, build_id: int) -> Words:
    """Copr has taken the order."""
    return Words(
        status=CheckStatus.IN_PROGRESS,
        title=f"Copr has build {build_id}; the source package comes first.",
        summary=f"Nothing to do. The package is built for `{chroot}` as soon as its source package is made.",
    )


def build_running(chroot: str) -> Words:
    """Copr is building for the chroot."""
    return Words(
        status=CheckStatus.IN_PROGRESS,
        title="RPM build in progress.",
        summary=f"Nothing to do. Copr is building for `{chroot}`.",
    )


def build_succeeded(owner: str, project: str) -> Words:
    """The packages are there."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.SUCCESS,
        title="RPMs were built successfully.",
        summary=f"Try them:\n\n{code_block(f'dnf copr enable {owner}/{project}')}",
    )


def build_can_be_tried(owner: str, project: str) -> str:
    """A comment for reviewers: the packages of a pull request are there."""
    return (
        "The packages of this pull request are built. To try them:\n\n"
        f"{code_block(f'dnf install -y dnf-plugins-core{chr(10)}dnf copr enable {owner}/{project}')}\n\n"
        "This is for trying out, and not for production: the project is deleted some time after the pull request."
    )


def build_failed(chroot: str, log_url: str | None, again: str) -> Words:
    """The build of one chroot failed."""
    log = f" The log: {log_url}" if log_url else ""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.FAILURE,
        title="RPMs failed to be built.",
        summary=f"Read the build log of `{chroot}`, then push a fix or {again}.{log}",
    )


def build_canceled(again: str) -> Words:
    """Somebody canceled the build in Copr."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.CANCELLED,
        title="The build was canceled in Copr.",
        summary=f"{capital(again)} to build again.",
    )


def srpm_failed(log_url: str | None, again: str) -> Words:
    """No source package, so nothing to build."""
    log = f" The log: {log_url}" if log_url else ""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.FAILURE,
        title="The source package (SRPM) failed to be made.",
        summary=f"Read the log of the source build, then push a fix or {again}.{log}",
    )


def chroot_unknown(chroot: str) -> Words:
    """Copr cannot build for this target."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.FAILURE,
        title=f"Copr cannot build for {chroot}.",
        summary=f"Take `{chroot}` out of the targets in the package configuration, or correct it. "
        "What Copr builds for is listed by `copr-cli list-chroots`.",
    )


def copr_refused(
    project: str, answer: str, permission: str | None, account: str, again: str
) -> tuple[str, str]:
    """What is wrong and what to do when Copr refuses a project or build. ``permission``: what we may lack there."""
    message = f"Copr refuses to build in {project}: {answer}"
    if permission is None:
        return message, REFUSED_NEXT
    return message, (
        f"An owner of the Copr project {project} can give the account {account} the permission {permission} on its "
        f"page Settings, Permissions; then {again}. Or take owner and project out of the job in the "
        "package configuration, to build in a project of this service."
    )
