"""Bringing upstream what was changed in dist-git.

Three say what is done. The package configuration in dist-git, at the pushed commit, has the job and its branches. The
spec file or that configuration names the upstream project. And upstream has to let us in: its account is on the
allowlist, it gives us the right to push (of a GitHub App: it has installed it), and it has a package configuration of
its own, which alone names the files that are taken over. So nothing is put into a project that has not asked for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from events.dist_git import DistGitCommitEvent
from packit_worker import access, upstreams
from packit_worker.cell import Cell, git, workspace
from packit_worker.cell.missing import no_cell
from packit_worker.checks.dist_git import is_for_this_branch, is_for_this_package
from packit_worker.checks.verdict import Check, Kind
from packit_worker.config.package import JobType, PackageConfigError
from packit_worker.effecting import Calls
from packit_worker.errors import NotFound, UserError
from packit_worker.handlers.base import Handler
from packit_worker.handlers.fetching import fetch
from packit_worker.journal import accounts, effects
from packit_worker.journal.effects import EffectState
from packit_worker.orders.koji import address_of
from packit_worker.ports import ForgeProject, Posted
from packit_worker.registry import answers
from packit_worker.reporting import dist_git as texts
from packit_worker.reporting import names
from packit_worker.reporting.names import CheckId
from packit_worker.reporting.texts import Words, queued
from packit_worker.situation import configs
from packit_worker.situation.job import Job
from packit_worker.situation.situation import Situation

PULL_REQUEST = "upstream_pull_request"


@dataclass(frozen=True, kw_only=True)
class Upstream:
    """The project that changes are brought to, with its default branch and the commit there.

    ``package`` is the key of the package where upstream has several.
    """

    project: ForgeProject
    branch: str
    commit_sha: str
    package: str | None


@answers(DistGitCommitEvent, jobs=[JobType.SYNC_FROM_DOWNSTREAM])
class NewDistGitCommitHandler(Handler):
    """Proposes upstream what was changed in dist-git."""

    checks: ClassVar[tuple[Check, ...]] = (is_for_this_package, is_for_this_branch)
    lane: ClassVar[str | None] = "long-running"

    @classmethod
    def shows(cls, situation: Situation, job: Job | None) -> tuple[CheckId, ...]:
        assert job is not None and isinstance(situation.event, DistGitCommitEvent)
        return (check_of(job, situation.event.branch),)

    @classmethod
    def first_words(cls, check: CheckId) -> Words:
        return queued("The synchronisation with upstream")

    def run(self) -> str:
        with self.context.journal.read() as session:
            rows = {row.key: row for row in effects.of_event(session, self.context.event_id)}
        done = rows.get(self.context.desk.marker(PULL_REQUEST))
        if done is not None and done.state == EffectState.CONFIRMED:
            return f"proposed before: {done.external_url}"
        with workspace() as space:
            return self._bring(space)

    def _bring(self, space: Path) -> str:
        event = self.event
        self._report(texts.synchronising(event.branch))
        branch = git.full_ref(f"refs/heads/{event.branch}")
        head = fetch(self.context.project(), branch, space / "dist-git", tags=False)
        if head != event.commit_sha:
            # What is to be done now is said by the configuration at that commit.
            self._report(texts.moved_on(head))
            return f"{event.branch} has moved on to {head[:12]}, and that push is dealt with by itself"
        upstream = self._upstream(space)
        proposal = self.context.services.packit().sync_from_downstream(
            space / "upstream",
            upstream.commit_sha,
            space / "dist-git",
            event.branch,
            texts.pull_title(event.repo_name, event.branch),
            package=upstream.package,
        )
        if proposal is None:
            self._report(texts.nothing_to_synchronise())
            return f"nothing to synchronise: {upstream.project.url} has the same files"
        return f"proposed {self._propose(upstream, proposal.commit, space / 'upstream').url}"

    # Whom it is brought to.

    def _upstream(self, space: Path) -> Upstream:
        """The upstream project, cloned. Raises UserError, Refused, NotFound, TemporaryError."""
        url = self._known(upstreams.project_url(self._told_url(space)))
        project = self.context.services.forge(url).project(url)
        self._let_in(project)
        # Whether we may push: the work of minutes comes before the push itself, and tokens live for an hour.
        project.push_access()
        branch = project.default_branch()
        commit = fetch(project, git.full_ref(f"refs/heads/{branch}"), space / "upstream", tags=False)
        reading = configs.read(project, commit)
        if reading.path is None:
            raise UserError(
                f"{url} has no package configuration, which would name the files to be synchronised",
                next_step="Add one with files_to_sync upstream, or take the job sync_from_downstream out of dist-git.",
            )
        try:
            config = configs.understand(reading, url)
        except PackageConfigError as error:
            raise UserError(
                f"Upstream: {error}", next_step="Correct the package configuration upstream."
            ) from error
        package = upstreams.package_of(config, self.event.repo_name)
        return Upstream(project=project, branch=branch, commit_sha=commit, package=package)

    def _told_url(self, space: Path) -> str:
        """What the configuration or else the spec file calls the upstream project. Raises UserError."""
        told = self.job.config.upstream_project_url
        if told:
            return told
        path, spec = self._spec()
        told = upstreams.told_url(spec)
        if told is None:
            raise UserError(
                f"{path} has no URL, so nobody can tell where the upstream project is",
                next_step=upstreams.NAME_IT,
            )
        if not upstreams.has_macros(told):
            return told
        reason = Cell.available()
        if reason is not None:
            raise no_cell(reason)
        return self.context.services.packit().url_of(space / "dist-git", self.event.commit_sha, path)

    def _spec(self) -> tuple[str, str]:
        """Name and text of the spec file in dist-git, which is called like the package. Raises UserError."""
        project, commit = self.context.project(), self.event.commit_sha
        path = f"{self.event.repo_name}.spec"
        try:
            return path, project.file(path, commit)
        except NotFound:
            others = [name for name in project.top_files(commit) if name.endswith(".spec")]
        if len(others) != 1:
            raise UserError(
                f"There is no {path} in dist-git, so nobody can tell where the upstream project is",
                next_step=upstreams.NAME_IT,
            )
        return others[0], project.file(others[0], commit)

    def _known(self, url: str) -> str:
        """The address, if it is on a forge of ours. Raises UserError."""
        try:
            self.context.services.forge(url).project(url)
        except NotFound as error:
            raise UserError(
                f"The upstream project would be {url}, which is no project on a forge that this service works with",
                next_step=upstreams.NAME_IT,
            ) from error
        return url

    def _let_in(self, project: ForgeProject) -> None:
        """Raise UserError unless the project may be served."""
        # On a Pagure, a project can have no namespace: then it is approved by its own name.
        account = access.namespace_of(project.url) or project.url.rpartition("/")[2]
        with self.context.journal.read() as session:
            known = accounts.of(session, access.forge_of(project.url), [account])
        verdict = access.judge_accounts([account], known)
        if verdict.kind != Kind.PASS:
            raise UserError(f"Upstream: {verdict.reason}", next_step=verdict.next_step or "")
        namespaces = self.context.settings.enabled_private_namespaces
        if project.is_private() and not access.serves_private(project.url, namespaces):
            raise UserError(
                f"{project.url} is private, and this service serves private projects of configured namespaces only",
                next_step="An operator can add the namespace to enabled_private_namespaces.",
            )

    # How.

    def _propose(self, upstream: Upstream, commit: str, clone: Path) -> Posted:
        """Push, and have one pull request. Safe to repeat: what is pushed replaces what we have pushed before."""
        event, project = self.event, upstream.project
        head, where = upstreams.head_branch(event.branch), project.push_access()
        git.push(
            clone,
            where.url,
            f"{commit}:{git.full_ref(f'refs/heads/{head}')}",
            token=where.token,
            user=where.user,
            expected=project.pushed_sha(head),
            allow=[address_of(where.url)],
        )

        def find() -> Posted | None:
            return project.find_pull_request(head, upstream.branch)

        def send() -> Posted:
            # One that is there, of an earlier push, shows what has just been pushed.
            return find() or project.create_pull_request(
                head,
                upstream.branch,
                texts.pull_title(event.repo_name, event.branch),
                texts.pull_body(event.project_url, event.branch, event.commit_sha),
            )

        return self.context.desk.once(
            PULL_REQUEST,
            "",
            {"project": project.url, "head": head, "branch": upstream.branch, "commit": event.commit_sha},
            Calls(send, find),
            lambda _, posted: self._report(texts.synchronised(event.branch), posted.url),
        )

    @property
    def event(self) -> DistGitCommitEvent:
        """The push."""
        assert isinstance(self.context.event, DistGitCommitEvent)
        return self.context.event

    def _report(self, words: Words, url: str | None = None) -> None:
        self.context.desk.report(check_of(self.job, self.event.branch), words, url)


def check_of(job: Job, branch: str) -> CheckId:
    """The check on the commit in dist-git."""
    return CheckId(kind=names.SYNC_FROM_DOWNSTREAM, job=job.key, target=branch, identifier=job.identifier)
