"""What is said of releases on their way to dist-git."""

from __future__ import annotations

from collections.abc import Sequence

from packit_worker.ports import CheckStatus, Conclusion
from packit_worker.reporting.markdown import code, code_block, plain
from packit_worker.reporting.words import Words, sentence

PROPOSE_AGAIN_NEXT = "Look at the reason, and mend it."
ARCHIVE_MISSING = "The archive of the release cannot be downloaded"
ARCHIVE_MISSING_NEXT = (
    "Upload the archive to where the spec file says that it is (Source0), or correct the spec file."
)


def proposing(branch: str, version: str) -> Words:
    """packit is at work on a branch of dist-git."""
    return Words(
        status=CheckStatus.IN_PROGRESS,
        title=f"{branch} is being updated to {version[:60]}.",
        summary="Nothing to do. A pull request in dist-git follows.",
    )


def proposed(branch: str, version: str) -> Words:
    """There is a pull request in dist-git."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.SUCCESS,
        title=f"Proposed: {branch} to {version[:60]}.",
        summary="Review the pull request in dist-git (the link of this check), and merge it.",
    )


def committed(branch: str, version: str) -> Words:
    """The commit is on the branch itself."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.SUCCESS,
        title=f"Updated: {branch} to {version[:60]}.",
        summary="Nothing to do. With `create_pr: false` there is no pull request: the commit (the link of this check) "
        "is on the branch.",
    )


def may_not_commit(login: str, package: str, branch: str) -> tuple[str, str]:
    """dist-git takes no commit of ours: the reason, and what to do."""
    return (
        f"dist-git does not let {login} push to {branch} of {package}.",
        f"An administrator of {package} in dist-git can give {login} commit access. Or take create_pr: false out of "
        "the package configuration, and a pull request is opened.",
    )


def nothing_to_propose(branch: str, version: str) -> Words:
    """dist-git has the release already."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.SUCCESS,
        title=f"{branch} is up to date with {version[:60]}.",
        summary="Nothing to do: packit has changed nothing in dist-git.",
    )


def proposing_again(why: str) -> Words:
    """A branch of dist-git is tried again soon."""
    return Words(
        status=CheckStatus.IN_PROGRESS,
        title="Not yet; it is tried again by itself.",
        summary=f"Nothing to do. {sentence(why)}",
    )


def not_proposed(why: str, next_step: str, again: str, output: str = "") -> Words:
    """A branch of dist-git could not be updated. ``output`` is the end of what packit said."""
    said = f"\n\npackit said last:\n\n{code_block(output[-3000:])}" if output else ""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.FAILURE,
        title=why,
        summary=f"{plain(next_step, 600)} Then {again}.\n\n{sentence(why)}{said}",
    )


def update_body(tag: str, commit_sha: str, project_url: str) -> str:
    """The text of a pull request in dist-git."""
    return (
        f"Upstream tag: {plain(tag)}\nUpstream commit: {commit_sha}\nUpstream project: {project_url}\n\n"
        "Made by packit. Commits that are pushed to the branch of this pull request are lost when it is proposed again."
    )


def propose_failed_title(tag: str) -> str:
    """The title of the issue about updates that could not be proposed."""
    return f"[packit] Propose update failed for release {tag[:100]}"


def propose_failed_body(tag: str, failed: Sequence[tuple[str, str]], marker: str) -> str:
    """The issue about updates that could not be proposed: branches and reasons."""
    return (
        f"The release {plain(tag)} could not be proposed for these branches of dist-git:\n\n"
        f"{_table(failed)}\n\n"
        "The checks on the release's commit tell more. To try again, comment here:\n\n"
        f"{code_block('/packit propose-downstream')}\n\n{marker}\n"
    )


def proposals(
    tag: str, done: Sequence[tuple[str, str | None]], failed: Sequence[tuple[str, str]]
) -> tuple[str, ...]:
    """The answer to a comment: links to pull requests in dist-git (None: up to date), and what failed."""
    lines = [f"* {code(branch)}: {url or 'is up to date'}" for branch, url in done]
    good = [f"The release {plain(tag)} is proposed in dist-git:", "\n".join(lines)] if lines else []
    bad = [f"The release {plain(tag)} could not be proposed for:", _table(failed)] if failed else []
    again = [f"To try again, comment {code('/packit propose-downstream')}."] if failed else []
    return (*good, *bad, *again)


def _table(failed: Sequence[tuple[str, str]]) -> str:
    rows = [f"| {code(branch).replace('|', '')} | {plain(why, 500)} |" for branch, why in failed]
    return "\n".join(["| Branch | Reason |", "| --- | --- |", *rows])


def no_dist_git_account() -> tuple[str, str]:
    """Nobody to propose as: the reason, and what to do."""
    return (
        "This service has no account at dist-git.",
        "Whoever operates the service: give it login and token in the section dist_git of its configuration.",
    )
