"""What is said about changes of dist-git that are brought upstream."""

from __future__ import annotations

from packit_worker.ports import CheckStatus, Conclusion
from packit_worker.reporting.markdown import code, plain
from packit_worker.reporting.texts import Words


def synchronising(branch: str) -> Words:
    """packit is at work."""
    return Words(
        status=CheckStatus.IN_PROGRESS,
        title=f"The files of {branch[:60]} are being brought upstream.",
        summary="Nothing to do. A pull request upstream follows, if they are different there.",
    )


def synchronised(branch: str) -> Words:
    """There is a pull request upstream."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.SUCCESS,
        title=f"The changes of {branch[:60]} are proposed upstream.",
        summary="Review the pull request upstream (the link of this check), and merge it.",
    )


def nothing_to_synchronise() -> Words:
    """Upstream has it all."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.SUCCESS,
        title="Upstream has the same files.",
        summary="Nothing to do.",
    )


def moved_on(commit_sha: str) -> Words:
    """The branch has newer commits by now."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.SKIPPED,
        title=f"Superseded by the newer commit {commit_sha[:12]}.",
        summary="Nothing to do: what was pushed last is brought upstream.",
    )


def pull_title(package: str, branch: str) -> str:
    """The title of a pull request upstream."""
    return f"[packit] Changes of {package[:80]} in Fedora ({branch[:60]})"


def pull_body(project_url: str, branch: str, commit_sha: str) -> str:
    """The text of a pull request upstream. It is opened once, and told of later pushes by its commits."""
    return (
        f"Files of the package in dist-git were changed that are kept here as well: {project_url}, branch "
        f"{code(branch)}, first at the commit {plain(commit_sha)}.\n\n"
        "Made by packit. What is pushed to dist-git while this is open is added by itself; commits of others on the "
        "branch of this pull request are lost then. To stop it, take the job `sync_from_downstream` out of the "
        "package configuration in dist-git."
    )
