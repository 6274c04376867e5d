"""Every word said to users, in one place, so that it can be read, mended and translated as one.

Titles are one line and fit a commit status; the first line of a summary says what to do. Text of strangers goes through
``markdown`` first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from packit_worker.ports import CheckStatus, Conclusion
from packit_worker.reporting.markdown import code_block, plain


@dataclass(frozen=True, kw_only=True)
class Words:
    """What a check shows, without the check."""

    status: CheckStatus
    conclusion: Conclusion | None = None
    title: str
    summary: str = ""


def queued(what: str) -> Words:
    """A run is planned."""
    return Words(status=CheckStatus.QUEUED, title=f"{what} will be started shortly.")


def waiting_for_build() -> Words:
    """Tests whose build is not there yet."""
    return Words(status=CheckStatus.QUEUED, title="Waiting for the RPM build; the tests follow by themselves.")


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


def build_failed(chroot: str, log_url: str | None) -> Words:
    """The build of one chroot failed."""
    log = f" The log: {log_url}" if log_url else ""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.FAILURE,
        title="RPMs failed to be built.",
        summary=f"Read the build log of `{chroot}`, then push a fix or comment `/packit build`.{log}",
    )


def build_canceled() -> Words:
    """Somebody canceled the build in Copr."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.CANCELLED,
        title="The build was canceled in Copr.",
        summary="Comment `/packit build` to build again.",
    )


def srpm_failed(log_url: str | None) -> Words:
    """No source package, so nothing to build."""
    log = f" The log: {log_url}" if log_url else ""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.FAILURE,
        title="The source package (SRPM) failed to be made.",
        summary=f"Read the log of the source build, then push a fix or comment `/packit build`.{log}",
    )


def build_failed_before_tests() -> Words:
    """No packages, so nothing to test."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.FAILURE,
        title="Not tested: the RPM build failed.",
        summary="The tests run by themselves when the build succeeds.",
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


def tests_submitted() -> Words:
    """Testing Farm has taken the request."""
    return Words(
        status=CheckStatus.IN_PROGRESS,
        title="Tests have been submitted to Testing Farm.",
        summary="Nothing to do. The result comes here.",
    )


def tests_running() -> Words:
    """Testing Farm is at it."""
    return Words(
        status=CheckStatus.IN_PROGRESS, title="Tests are running.", summary="Nothing to do. The result comes here."
    )


def tests_passed(only_installation: bool) -> Words:
    """All well."""
    what = "Installation" if only_installation else "Tests"
    return Words(status=CheckStatus.COMPLETED, conclusion=Conclusion.SUCCESS, title=f"{what} passed.")


def tests_failed(only_installation: bool, summary: str | None) -> Words:
    """A test failed."""
    what = "Installation" if only_installation else "Tests"
    said = f"\n\nTesting Farm says: {plain(summary)}" if summary else ""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.FAILURE,
        title=f"{what} failed.",
        summary=f"Read the test log, then push a fix or comment `/packit test`.{said}",
    )


def tests_errored(summary: str | None) -> Words:
    """The tests could not be run to their end."""
    said = f"\n\nTesting Farm says: {plain(summary)}" if summary else ""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.FAILURE,
        title="The tests ended with an error.",
        summary=f"This is often no fault of the change. Comment `/packit test` to run them again.{said}",
    )


def tests_canceled() -> Words:
    """Somebody canceled the request."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.CANCELLED,
        title="The tests were canceled.",
        summary="Comment `/packit test` to run them again.",
    )


def refused(reason: str, next_step: str | None) -> Words:
    """It may not run; somebody can allow it."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.ACTION_REQUIRED,
        title=reason,
        summary=f"{plain(next_step, 600)}\n\n{plain(reason, 600)}" if next_step else plain(reason, 600),
    )


def user_error(message: str, next_step: str) -> Words:
    """Something only a person can mend."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.FAILURE,
        title=message,
        summary=f"{plain(next_step, 600)}\n\n{plain(message, 1000)}",
    )


def gave_up(why: str, attempts: int) -> Words:
    """Tried several times in vain."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.FAILURE,
        title=f"Given up after {attempts} attempts.",
        summary=f"Comment `/packit build` to try again later.\n\nThe last attempt ended with: {plain(why, 600)}",
    )


def our_fault(event_id: str) -> Words:
    """A bug of this service."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.FAILURE,
        title="Something went wrong in this service; it is not the fault of your change.",
        summary="Its operators have been told. Comment `/packit build` to try again; "
        f"if it stays like this, tell them the number `{event_id}`.",
    )


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """Something in a package configuration that has to be corrected; ``nearest`` is the word probably meant."""

    message: str
    line: int | None = None
    column: int | None = None
    nearest: str | None = None


def bad_config(path: str, mistakes: Sequence[Mistake]) -> Words:
    """The package configuration cannot be used. A mistyped word is shown before what its absence brings about."""
    ordered = sorted(mistakes, key=lambda mistake: mistake.nearest is None)
    lines = [_mistake(path, mistake) for mistake in ordered]
    more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.NEUTRAL,
        title=lines[0] + more,
        summary=f"Correct {plain(path)} and push again: nothing was run.\n\n{code_block(chr(10).join(lines))}",
    )


def _mistake(path: str, mistake: Mistake) -> str:
    where = f"{path}, line {mistake.line}, column {mistake.column}" if mistake.line else path
    hint = f"; did you mean {mistake.nearest}?" if mistake.nearest and mistake.nearest not in mistake.message else ""
    return f"{where}: {mistake.message}{hint}"


def too_late(hours: int) -> Words:
    """No news for too long."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.TIMED_OUT,
        title=f"No result within {hours} hours.",
        summary="Comment `/packit build` to try again.",
    )


REFUSED_NEXT = "Correct what it does not accept, or ask the operators of this service."

NOT_APPROVED_NEXT = (
    "An operator of this service can approve an account; ask for it in the approval issue that was opened "
    "when the App was installed."
)


def approval_title(kind: str, account: str) -> str:
    """Title of the issue in which an account is approved."""
    return f"{kind} {account} needs to be approved"


def approval_body(account: str, forge: str, sender: str | None, marker: str) -> str:
    """The issue in which an account is approved."""
    who = plain(sender) if sender else "Somebody"
    return (
        f"{who} installed the App for {plain(account)} on {forge}.\n\n"
        f"To approve it, an operator runs:\n\n"
        f"{code_block(f'packit-worker allowlist approve {forge} {account}')}\n\n{marker}\n"
    )
