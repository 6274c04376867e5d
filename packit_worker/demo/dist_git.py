"""The tale of a push to dist-git. It takes the real program packit, which runs in the real jail."""

from __future__ import annotations

import shutil

from packit_worker.bus import SOURCE
from packit_worker.cell import Cell, NoCell
from packit_worker.cell.program import find
from packit_worker.config.service import load_service_config
from packit_worker.demo.stage import Stage
from packit_worker.demo.tale import REPOSITORY, Step, Tale, approve, has

PACKAGE = "rpms/hello"
UPSTREAM = "specfile_path: hello.spec\nfiles_to_sync: [hello.spec, hello.patch]\njobs: []\n"
JOB = "jobs:\n  - job: sync_from_downstream\n    trigger: commit\n"
SPEC = """\
Name:           hello
Version:        1.0
Release:        1%{{?dist}}
Summary:        Says hello
License:        MIT
URL:            {url}

%description
Says hello.

%changelog
* Thu Jan 01 2026 Mia <mia@example.com> - 1.0-1
- First build
"""


def _push(stage: Stage) -> list[str]:
    """mia adds a patch to the package hello of acme/hello, whose account is approved. The bus tells of it."""
    github, dist_git = stage.sandbox.github, stage.sandbox.dist_git
    spec = SPEC.format(url=f"{stage.settings.github.web_url}/{REPOSITORY}")
    github.add_repository(
        REPOSITORY, installation_id=1001, files={".packit.yaml": UPSTREAM, "hello.spec": spec}
    )
    approve(stage, "acme")
    dist_git.add_package("hello", files={".packit.yaml": JOB, "hello.spec": spec, "sources": ""})
    changed = {"hello.patch": "--- a\n+++ b\n", "hello.spec": f"{spec}# with a patch\n"}
    stage.remember("sha", dist_git.commit("hello", "rawhide", changed, message="Add a patch"))
    stage.sandbox.pagure.webhook("git.receive", project=PACKAGE, branch="rawhide")
    return [f"{SOURCE}:{stage.sandbox.bus.messages()[-1].id}"]


def _needs() -> list[str]:
    missing = [] if shutil.which("git") else ["git"]
    reason = Cell.available()
    if reason is not None:
        missing.append(f"a jail: {reason}")
    try:
        find(load_service_config().packit.program)
    except NoCell as error:
        missing.append(f"packit: {error} (PACKIT_WORKER_PACKIT_PROGRAM can say where it is)")
    return missing


def _proposed(stage: Stage) -> list[str]:
    pulls = stage.sandbox.github.pull_requests(REPOSITORY)
    flags = stage.sandbox.pagure.flags(PACKAGE, stage.recall("sha"))
    missing = [] if len(pulls) == 1 else ["one pull request upstream"]
    if [(flag.status, flag.url) for flag in flags] != [("success", pull.html_url) for pull in pulls]:
        missing.append("a flag in dist-git that leads to it")
    for pull in pulls:
        stage.announce("pull request", pull.html_url)
    return missing


DIST_GIT = Tale(
    name="distgit",
    about="What a packager changes in Fedora's dist-git is proposed upstream.",
    begin=_push,
    steps=(
        Step("message of the bus accepted", has("received", "pagure.git.receive")),
        Step("task of the push", has("event", "task.process_dist_git_commit_event")),
        Step("handler found", has("decision", "NewDistGitCommitHandler", "run")),
        Step("pull request opened", has("effect", "upstream_pull_request", "confirmed")),
        Step("flag set", has("check", "sync-from-downstream:rawhide", "success")),
    ),
    outside=_proposed,
    needs=_needs,
)
