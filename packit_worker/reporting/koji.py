"""What is said of builds in Koji."""

from __future__ import annotations

from packit_worker.ports import CheckStatus, Conclusion
from packit_worker.reporting.markdown import code, plain
from packit_worker.reporting.trouble import REFUSED_NEXT
from packit_worker.reporting.words import Words, capital


def koji_submitted(target: str, task_id: str, scratch: bool) -> Words:
    """Koji has taken the order."""
    kept = "a scratch build, which is not kept" if scratch else "a build that is kept"
    return Words(
        status=CheckStatus.IN_PROGRESS,
        title=f"Koji has task {task_id}.",
        summary=f"Nothing to do. It is {kept}, for {code(target)}; the result comes here.",
    )


def koji_running(target: str) -> Words:
    """Koji is building."""
    return Words(
        status=CheckStatus.IN_PROGRESS,
        title="The Koji build is in progress.",
        summary=f"Nothing to do. Koji is building for {code(target)}.",
    )


def koji_succeeded(target: str, scratch: bool) -> Words:
    """The build ended well."""
    what = "scratch build" if scratch else "build"
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.SUCCESS,
        title=f"The Koji {what} succeeded.",
        summary=f"Nothing to do. The packages for {code(target)} are on the task's page.",
    )


def koji_failed(target: str, log_url: str | None, again: str) -> Words:
    """The build failed."""
    log = f" The log: {log_url}" if log_url else ""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.FAILURE,
        title="The Koji build failed.",
        summary=f"Read the logs on the task's page for {code(target)}, then push a fix or {again}.{log}",
    )


def koji_canceled(again: str) -> Words:
    """Somebody canceled the task."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.CANCELLED,
        title="The build was canceled in Koji.",
        summary=f"{capital(again)} to build again.",
    )


def koji_target_unknown(target: str) -> Words:
    """Koji cannot build for this target."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.FAILURE,
        title=f"Koji cannot build for {target}.",
        summary=f"Take {code(target)} out of the targets in the package configuration, or correct it. "
        "What Koji builds for is listed by `koji list-targets`.",
    )


def koji_refused(answer: str) -> Words:
    """Koji does not take the order."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.FAILURE,
        title="Koji does not take the build.",
        summary=f"{REFUSED_NEXT}\n\nKoji says: {plain(answer, 600)}",
    )
