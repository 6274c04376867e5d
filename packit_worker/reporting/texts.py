"""Every word said to users, in one place, so that it can be read, mended and translated as one.

Titles are one line and fit a commit status; the first line of a summary says what to do. Text of strangers goes through
``markdown`` first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from packit_worker.ports import CheckStatus, Conclusion
from packit_worker.reporting.markdown import code, code_block, plain


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
    return Words(
        status=CheckStatus.QUEUED, title="Waiting for the RPM build; the tests follow by themselves."
    )


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


def koji_failed(target: str, log_url: str | None) -> Words:
    """The build failed."""
    log = f" The log: {log_url}" if log_url else ""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.FAILURE,
        title="The Koji build failed.",
        summary=f"Read the logs on the task's page for {code(target)}, then push a fix.{log}",
    )


def koji_canceled() -> Words:
    """Somebody canceled the task."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.CANCELLED,
        title="The build was canceled in Koji.",
        summary=f"In a pull request, comment {KOJI_AGAIN} to build again.",
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


def tests_refused(answer: str) -> Words:
    """Testing Farm does not take the request."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.FAILURE,
        title="Testing Farm does not take the request.",
        summary=f"{TESTS_REFUSED_NEXT}\n\nTesting Farm says: {plain(answer, 600)}",
    )


def tests_canceled() -> Words:
    """Somebody canceled the request."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.CANCELLED,
        title="The tests were canceled.",
        summary="Comment `/packit test` to run them again.",
    )


def superseded(commit_sha: str) -> Words:
    """The pull request has got newer commits."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.CANCELLED,
        title=f"Superseded by the newer commit {commit_sha[:12]}.",
        summary=f"Nothing to do. What was under way here was canceled when `{plain(commit_sha)}` was pushed; "
        "the checks of that commit count now.",
    )


def refused(reason: str, next_step: str | None) -> Words:
    """It may not run; somebody can allow it."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.ACTION_REQUIRED,
        title=reason,
        summary=f"{plain(next_step, 600)}\n\n{plain(reason, 600)}" if next_step else plain(reason, 600),
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
        summary=f"Nothing to do. {_sentence(why)}",
    )


def not_proposed(why: str, next_step: str, output: str = "") -> Words:
    """A branch of dist-git could not be updated. ``output`` is the end of what packit said."""
    said = f"\n\npackit said last:\n\n{code_block(output[-3000:])}" if output else ""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.FAILURE,
        title="The update could not be proposed.",
        summary=f"{plain(next_step, 600)} Then comment `/packit propose-downstream` in an issue.\n\n"
        f"{_sentence(why)}{said}",
    )


PROPOSE_AGAIN_NEXT = "Look at the reason, and mend it."
ARCHIVE_MISSING = "The archive of the release cannot be downloaded"
ARCHIVE_MISSING_NEXT = (
    "Upload the archive to where the spec file says that it is (Source0), or correct the spec file."
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


def timed_out(after: str) -> Words:
    """It took longer than it may. ``after``: timed out after so long."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.TIMED_OUT,
        title=f"{after[:1].upper()}{after[1:]}.",
        summary="Comment `/packit build` to try again; if it stays like this, tell the operators of this service.",
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
    hint = (
        f"; did you mean {mistake.nearest}?"
        if mistake.nearest and mistake.nearest not in mistake.message
        else ""
    )
    return f"{where}: {mistake.message}{hint}"


def too_late(hours: int) -> Words:
    """No news for too long."""
    return Words(
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.TIMED_OUT,
        title=f"No result within {hours} hours.",
        summary="Comment `/packit build` to try again.",
    )


def copr_refused(project: str, answer: str, permission: str | None, account: str) -> tuple[str, str]:
    """What is wrong and what to do when Copr refuses a project or build. ``permission``: what we may lack there."""
    message = f"Copr refuses to build in {project}: {answer}"
    if permission is None:
        return message, REFUSED_NEXT
    return message, (
        f"An owner of the Copr project {project} can give the account {account} the permission {permission} on its "
        "page Settings, Permissions; then comment `/packit build`. Or take owner and project out of the job in the "
        "package configuration, to build in a project of this service."
    )


TESTS_REFUSED_NEXT = "Correct the tests job in the package configuration, then comment `/packit test`."
KOJI_AGAIN = "`/packit production-build`"
REFUSED_NEXT = "Correct what it does not accept, or ask the operators of this service."

NOT_APPROVED_NEXT = (
    "An operator of this service can approve an account; ask for it in the approval issue that was opened "
    "when the App was installed."
)


def approval_title(kind: str, account: str) -> str:
    """Title of the issue in which an account is approved."""
    return f"{kind} {account} needs to be approved"


def approval_body(
    account: str, forge: str, sender: str | None, marker: str, *, verifies: bool = False
) -> str:
    """The issue in which an account is approved. ``verifies``: a Fedora account can prove it."""
    who = plain(sender) if sender else "Somebody"
    fedora = (
        f"{who} can have it approved at once with a Fedora account that names the GitHub account of {who}, by the "
        "comment `/packit verify-fas LOGIN`.\n\n"
    )
    return (
        f"{who} installed the App for {plain(account)} on {forge}.\n\n"
        f"{fedora if verifies else ''}"
        f"To approve it, an operator runs:\n\n"
        f"{code_block(f'packit-worker allowlist approve {forge} {account}')}\n\n{marker}\n"
    )


def mistake(line: str, message: str, nearest: str | None) -> str:
    """A line of a comment that looks like a command and is none."""
    where = f"{code(line)}: " if line else ""
    hint = f" Did you mean {code(nearest)}?" if nearest else ""
    return f"{where}{_sentence(message)}{hint} {code('/packit help')} lists what may be asked for."


def comment_refused(reason: str, next_step: str | None) -> str:
    """What a comment asks for may not be done."""
    return _sentence(reason) + (f" {plain(next_step, 600)}" if next_step else "")


def comment_idle(verb: str, why: str) -> str:
    """What a comment asks for comes to nothing."""
    return f"Nothing is done for {code(f'/packit {verb}')}: {plain(why, 600)}."


def place(family: str) -> str:
    """Where a command can be given, by the family of the event."""
    return {"PullRequestComment": "a pull request", "IssueComment": "an issue"}.get(family, "another place")


def only_there(places: Sequence[str]) -> str:
    """A command in the wrong place."""
    return f"it is for a comment on {' or '.join(places)}"


def help_text(login: str, allowed: Sequence[tuple[str, str]], others: Sequence[tuple[str, str]]) -> str:
    """What an account may ask for, and what only others may. Each command is its usage and what it does."""
    parts = [f"{plain(login)} may run here:", *(_listed(allowed))] if allowed else []
    if others:
        who = "Those with write or admin permission in the project may run here:"
        parts += [*([""] if parts else []), who, *_listed(others)]
    return "\n".join([*parts, "", "One command a line; each line begins with `/packit`."])


def _listed(commands: Sequence[tuple[str, str]]) -> list[str]:
    return ["", *(f"* {code(usage)} – {plain(about)}" for usage, about in commands)]


def _sentence(text: str) -> str:
    """A stranger's or a check's words as a sentence."""
    shown = plain(text, 600)
    return shown[:1].upper() + shown[1:] + ("" if shown.endswith((".", "!", "?")) else ".")


def approved(account: str, login: str, fas_login: str) -> str:
    """An account was approved."""
    return (
        f"The account {plain(account)} is approved: {plain(login)} is {plain(fas_login)} in Fedora. "
        "Comment `/packit build` on pull requests that came before."
    )


def approved_already(account: str) -> str:
    """An account needs no approval any more."""
    return f"The account {plain(account)} is approved already; there is nothing to do."


def approval_denied(account: str, why: str) -> str:
    """Operators have decided."""
    return f"The account {plain(account)} is denied: {plain(why)}. Ask the operators of this service."


def not_the_installer(login: str, account: str, installer: str | None) -> str:
    """Somebody else wants an account approved."""
    who = plain(installer) if installer else f"the account {plain(account)} itself"
    return (
        f"{plain(login)} has not installed the App for {plain(account)}: {who} can ask for it, "
        "or an operator approves it."
    )


def no_fedora_account(fas_login: str) -> str:
    """A Fedora account that is none."""
    return f"There is no Fedora account {code(fas_login)}. Comment again with the name you log in with in Fedora."


def fedora_is_away() -> str:
    """Fedora's accounts cannot be asked just now."""
    return "Fedora's accounts cannot be asked just now; it is tried again. Comment again if this stays for an hour."


def no_fasjson() -> str:
    """The service is not connected to Fedora's accounts."""
    return "This service does not know Fedora's accounts. Wait for an operator to approve the account."


def no_approval_issue() -> str:
    """An issue that the service has not opened."""
    return "This issue asks for the approval of no account. Comment in the one that was opened for yours."
