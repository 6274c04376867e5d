"""The stand-in for dist-git: packages as real git repositories of the stand-in for Pagure.

Used by tests, demo and control server.

Clone ``<address>/rpms/<name>.git``; push with an API token of Pagure as password of HTTP Basic. The same is served at
the address of `Sandbox.pagure`, where a package has its page and its API.
"""

from collections.abc import Mapping, Sequence

from packit_worker.sandbox.git_repository import LoggedCommit
from packit_worker.sandbox.pagure import Pagure
from packit_worker.sandbox.pagure_state import PagureProject
from packit_worker.sandbox.pagure_world import Files

BRANCHES = ("rawhide", "f43")
NAMESPACE = "rpms"


class DistGit:
    """A dist-git. All methods may be called from any thread.

    A package is named ``hello`` or, with its namespace, ``rpms/hello``; a fork ``forks/mia/rpms/hello``.
    """

    def __init__(self, pagure: Pagure) -> None:
        self.url = ""
        self.pagure = pagure
        self.wsgi = pagure.git_wsgi

    def add_package(
        self,
        name: str,
        branches: Sequence[str] = BRANCHES,
        files: Files | None = None,
        *,
        owner: str = "mia",
        commit: Sequence[str] = (),
    ) -> PagureProject:
        """A package with a spec file (or `files`) on all branches; `commit` are users that may push to it."""
        short = name.rpartition("/")[2]
        given = files if files is not None else {f"{short}.spec": spec(short), "sources": ""}
        return self.pagure.add_project(
            _full(name),
            owner=owner,
            branches=branches,
            files=given,
            commit=commit,
            description=f"The {short} rpms",
            issue_tracker=False,
        )

    def fork(self, name: str, user: str) -> PagureProject:
        """The fork of somebody, made if there is none."""
        return self.pagure.fork(_full(name), user)

    def commit(
        self,
        name: str,
        branch: str = BRANCHES[0],
        files: Files | None = None,
        *,
        author: str = "mia",
        message: str = "Update",
    ) -> str:
        """Commit to a branch as a packager; the new SHA. Nobody is told: see `Pagure.webhook`."""
        return self.pagure.push(_full(name), branch=branch, files=files, author=author, message=message)

    def branches(self, name: str) -> dict[str, str]:
        """The branches of a package: the last commit of each."""
        return self.pagure.project(_full(name)).repository.branches()

    def log(self, name: str, branch: str = BRANCHES[0]) -> list[LoggedCommit]:
        """The commits of a branch, newest first. Raises KeyError."""
        return self.pagure.project(_full(name)).repository.log(branch)

    def files(self, name: str, branch: str = BRANCHES[0]) -> Mapping[str, bytes]:
        """The files on a branch. Raises KeyError."""
        return self.pagure.project(_full(name)).repository.files(branch)


def spec(name: str, version: str = "0.1") -> str:
    """A spec file of a package that has no more than its name."""
    return f"""Name: {name}
Version: {version}
Release: 1%{{?dist}}
Summary: The package {name}
License: MIT
URL: https://github.com/acme/{name}
Source0: {name}-%{{version}}.tar.gz
BuildArch: noarch

%description
The package {name}.

%prep
%autosetup

%files

%changelog
* Thu Jan 01 2026 Mia <mia@example.com> - {version}-1
- First build
"""


def _full(name: str) -> str:
    return name if "/" in name else f"{NAMESPACE}/{name}"
