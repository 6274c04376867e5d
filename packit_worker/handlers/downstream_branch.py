"""One release on its way into one package of dist-git, branch by branch.

packit works on a branch in the jail, without tokens. What it has committed is pushed from outside: to a branch of our
fork with a name that is the same each time, by which the pull request is found again and updated instead of doubled;
or, with ``create_pr: false``, to the branch itself.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from packit_worker import releases
from packit_worker.cell import Cell, git
from packit_worker.cell.missing import no_cell
from packit_worker.cell.packit import Packit, Proposal
from packit_worker.effecting import Calls
from packit_worker.errors import Refused, TemporaryError, UserError
from packit_worker.handlers.base import Context
from packit_worker.handlers.fetching import fetch
from packit_worker.orders.koji import address_of
from packit_worker.ports import DistGit, Posted
from packit_worker.reporting import names, texts
from packit_worker.reporting.names import CheckId
from packit_worker.reporting.texts import Words
from packit_worker.situation.job import Job

#: The kind of the effect by which a branch is finished, whatever came of it.
PULL_REQUEST = "dist_git_pull_request"
#: What git says where somebody else has pushed in the meantime.
_MOVED = "stale info"


@dataclass(frozen=True, kw_only=True)
class Update:
    """What is proposed and what it takes. ``package`` has its namespace (``rpms/hello``), ``space`` is ours."""

    context: Context
    job: Job
    tag: str
    version: str
    package: str
    commit: str
    dist_git: DistGit
    packit: Packit
    space: Path

    def fetch(self) -> None:
        """Clone what was released. Raises UserError, NotFound (a host that is none of ours), TemporaryError."""
        commit = fetch(self.context.project(), f"refs/tags/{self.tag}", self.space / "upstream")
        if commit != self.commit:
            raise UserError(
                f"the tag {self.tag} has been moved to {commit[:12]} since it was released",
                next_step="Leave tags where they are, and publish a new release.",
            )

    def propose(self, branch: str) -> Posted:
        """Bring the release to a branch; the pull request or the commit, without a URL where nothing was to be done.

        Raises UserError (PackitFailed, NoCell), Refused, NotFound, TemporaryError.
        """
        self._report(branch, texts.proposing(branch, self.version))
        folder = self.space / hashlib.sha256(branch.encode()).hexdigest()[:16]
        clone, archives = folder / "clone", folder / "archives"
        archives.mkdir(parents=True)
        url = self.dist_git.url_of(self.package)
        before = git.clone(
            url, git.full_ref(f"refs/heads/{branch}"), clone, tags=False, allow=[address_of(url)]
        )
        proposal = self.packit.propose_downstream(
            *(self.space / "upstream", self.commit, clone, branch, self.version, archives),
            package=self.job.package,
        )
        if proposal is None:
            nothing = Calls(lambda: Posted(id=""), lambda: None)
            return self._once(branch, {}, nothing, texts.nothing_to_propose(branch, self.version))
        for archive in proposal.archives:
            self.dist_git.upload(self.package, archive)
        if not self.job.config.create_pr:
            return self._commit(branch, clone, proposal, before)
        return self._pull_request(branch, clone, proposal)

    def _pull_request(self, branch: str, clone: Path, proposal: Proposal) -> Posted:
        assert self.context.origin is not None
        project_url = self.context.origin.event.project_url
        package, head = self.package, releases.head_branch(self.version, branch)
        self.dist_git.ensure_fork(package)
        # Safe to repeat: nobody else pushes there.
        self._push(
            clone,
            self.dist_git.fork_url(package),
            f"{proposal.commit}:refs/heads/{head}",
            self.dist_git.fork_branch(package, head),
        )

        def find() -> Posted | None:
            return self.dist_git.find_pull_request(package, head, branch)

        def send() -> Posted:
            # One that is there, of an earlier event, shows what has just been pushed.
            body = texts.update_body(self.tag, self.commit, project_url)
            title = releases.title(self.version, branch)
            return find() or self.dist_git.create_pull_request(package, head, branch, title, body)

        return self._once(branch, {"head": head}, Calls(send, find), texts.proposed(branch, self.version))

    def _commit(self, branch: str, clone: Path, proposal: Proposal, before: str) -> Posted:
        """Push to the branch itself. A push whose answer is lost has left nothing to do for the next attempt."""
        package = self.package

        def send() -> Posted:
            url = self.dist_git.url_of(package)
            self._push(clone, url, f"{proposal.commit}:refs/heads/{branch}", before)
            return Posted(id=proposal.commit, url=self.dist_git.commit_url(package, proposal.commit))

        try:
            return self._once(
                *(branch, {"commit": proposal.commit}, Calls(send, lambda: None)),
                texts.committed(branch, self.version),
            )
        except Refused as error:
            message, next_step = texts.may_not_commit(self.dist_git.login, package, branch)
            raise UserError(message, next_step=next_step) from error

    def _push(self, clone: Path, url: str, refspec: str, expected: str) -> None:
        token = self.context.settings.dist_git.token
        assert token is not None
        try:
            git.push(
                *(clone, url, refspec),
                token=token.reveal(),
                user=self.dist_git.login,
                expected=expected,
                allow=[address_of(url)],
            )
        except Refused as error:
            if _MOVED in (error.answer or ""):
                raise TemporaryError("somebody has pushed to dist-git in the meantime") from error
            raise

    def _once(self, branch: str, more: dict[str, str], calls: Calls, words: Words) -> Posted:
        request = {"package": self.package, "branch": branch, "version": self.version, **more}
        return self.context.desk.once(
            PULL_REQUEST, branch, request, calls, lambda _, posted: self._report(branch, words, posted.url)
        )

    def _report(self, branch: str, words: Words, url: str | None = None) -> None:
        self.context.desk.report(check_of(self.job, branch), words, url)


def made_ready(context: Context, job: Job, tag: str, space: Path) -> Update:
    """The update to a release. Raises UserError, NoCell: without a jail nothing is run."""
    config, settings = job.config, context.settings.dist_git
    if config.dist_git_base_url and _host(config.dist_git_base_url) != _host(settings.url):
        raise UserError(
            f"This service proposes at {settings.url}, and nowhere else.",
            next_step="Take dist_git_base_url out of the package configuration.",
        )
    version = releases.version_of(tag, config.upstream_tag_template, config.upstream_package_name)
    dist_git = context.services.dist_git
    if dist_git is None:
        message, next_step = texts.no_dist_git_account()
        raise UserError(message, next_step=next_step)
    packit = context.services.packit()
    reason = Cell.available()
    if reason is not None:
        raise no_cell(reason)
    assert config.downstream_package_name is not None
    assert context.origin is not None and context.origin.commit_sha is not None
    return Update(
        context=context,
        job=job,
        tag=tag,
        version=version,
        package=f"{config.dist_git_namespace or settings.namespace}/{config.downstream_package_name}",
        commit=context.origin.commit_sha,
        dist_git=dist_git,
        packit=packit,
        space=space,
    )


def check_of(job: Job, branch: str) -> CheckId:
    """The check that a job reports on for a branch of dist-git."""
    return CheckId(kind=names.PROPOSE_DOWNSTREAM, job=job.key, target=branch, identifier=job.identifier)


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
