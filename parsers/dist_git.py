"""Fedora's dist-git on Fedora Messaging: the ``git.receive`` of the years before Pagure, and whose pushes are whose.

A push is a ``DistGitCommitEvent`` when it goes to a package, that is to the namespace ``rpms`` of a dist-git: that is
where sync_from_downstream takes commits from. Every other push on a Pagure (the modules and containers of a dist-git,
all of pagure.io and git.centos.org) is a ``PushPagureEvent``. It does not matter on which way the message came.

A Pagure with packages is a dist-git, unless it is known to be none: so somebody's own dist-git needs no configuration
here. Whether a dist-git is one of ours is asked later, as for every forge: by its address.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from events.dist_git import DistGitCommitEvent
from events.pagure import PushPagureEvent
from parsers.forms import branch, is_zeros, login, name, namespace, sha
from parsers.payload import Ignored, Payload
from parsers.registry import parses
from parsers.sending import send

SOURCE = "fedora-messaging"

#: The dist-git that speaks under a prefix of the topics; the message does not tell.
HOMES = {
    "org.fedoraproject.prod": "https://src.fedoraproject.org",
    "org.fedoraproject.stg": "https://src.stg.fedoraproject.org",
}

#: The only namespace that dist-git had before it had namespaces.
PACKAGES = "rpms"
#: Pagures for upstream projects; what git.centos.org has under ``rpms`` are exported sources, changed by no packager.
NO_DIST_GIT = frozenset({"pagure.io", "stg.pagure.io", "git.centos.org", "git.stg.centos.org"})


@parses(SOURCE, "git.receive", sends=[DistGitCommitEvent])
def git_receive(payload: Payload) -> None:
    """One message per commit, up to 2020. ``rev`` is the commit; ``agent`` (later) or ``username`` who pushed it."""
    home = HOMES.get(payload.origin or "")
    if home is None:
        raise Ignored("this deployment has no dist-git that we know of")
    commit = payload.part("commit")
    repo_name = commit.read("repo", name)
    repo_namespace = commit.read_optional("namespace", namespace) or PACKAGES
    project_url = f"{home}/{repo_namespace}/{repo_name}"
    rev = commit.read("rev", sha)
    if is_zeros(rev):
        raise Ignored("a branch has been deleted: there is nothing to take over")
    send(
        push_event(repo_namespace, project_url),
        repo_namespace=repo_namespace,
        repo_name=repo_name,
        branch=commit.read("branch", branch),
        commit_sha=rev,
        user_login=commit.read_optional("agent", login) or commit.read_optional("username", login),
        project_url=project_url,
    )


def push_event(repo_namespace: str | None, project_url: str) -> type[DistGitCommitEvent | PushPagureEvent]:
    """The event that a push to this project is (see the top of this module)."""
    is_package = repo_namespace == PACKAGES and urlsplit(project_url).hostname not in NO_DIST_GIT
    return DistGitCommitEvent if is_package else PushPagureEvent
