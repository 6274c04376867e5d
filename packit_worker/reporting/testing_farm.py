"""What is said of tests in Testing Farm."""

from __future__ import annotations

from packit_worker.ports import CheckStatus, Conclusion
from packit_worker.reporting.markdown import plain
from packit_worker.reporting.words import Words, capital

TESTS_REFUSED_NEXT = "Correct the tests job in the package configuration, and push again."


def waiting_for_build() -> Words:
    """Tests whose build is not there yet."""
    return Words(
        status=CheckStatus.QUEUED, title="Waiting for the RPM build; the tests follow by themselves."
    )


def build_failed_before_tests() -> Words:
    """No packages, so nothing to test."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.FAILURE,
        title="Not tested: the RPM build failed.",
        summary="The tests run by themselves when the build succeeds.",
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
        status=CheckStatus.IN_PROGRESS,
        title="Tests are running.",
        summary="Nothing to do. The result comes here.",
    )


def tests_passed(only_installation: bool) -> Words:
    """All well."""
    what = "Installation" if only_installation else "Tests"
    return Words(status=CheckStatus.COMPLETED, conclusion=Conclusion.SUCCESS, title=f"{what} passed.")


def tests_failed(only_installation: bool, summary: str | None, again: str) -> Words:
    """A test failed."""
    what = "Installation" if only_installation else "Tests"
    said = f"\n\nTesting Farm says: {plain(summary)}" if summary else ""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.FAILURE,
        title=f"{what} failed.",
        summary=f"Read the test log, then push a fix or {again}.{said}",
    )


def tests_errored(summary: str | None, again: str) -> Words:
    """The tests could not be run to their end."""
    said = f"\n\nTesting Farm says: {plain(summary)}" if summary else ""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.FAILURE,
        title="The tests ended with an error.",
        summary=f"This is often no fault of the change. {capital(again)} to run them again.{said}",
    )


def tests_refused(answer: str) -> Words:
    """Testing Farm does not take the request."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.FAILURE,
        title="Testing Farm does not take the request.",
        summary=f"{TESTS_REFUSED_NEXT}\n\nTesting Farm says: {plain(answer, 600)}",
    )


def tests_canceled(again: str) -> Words:
    """Somebody canceled the request."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.CANCELLED,
        title="The tests were canceled.",
        summary=f"{capital(again)} to run them again.",
    )
