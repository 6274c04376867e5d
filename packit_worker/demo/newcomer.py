"""The tale of a newcomer: the App is installed, the account waits for approval, and is served once it has it."""

from __future__ import annotations

from packit_worker.demo.pull_request import BUILDS, CONFIG, TESTS
from packit_worker.demo.stage import Stage
from packit_worker.demo.tale import REPOSITORY, SPEC, Step, Tale, concluded, has, post

APPROVALS = "packit/approvals"


def _install(stage: Stage) -> list[str]:
    github = stage.sandbox.github
    github.add_repository(APPROVALS, installation_id=1002)
    github.add_repository(REPOSITORY, permissions={"alice": "admin"}, installation_id=1001)
    files = {".packit.yaml": CONFIG, "hello.spec": SPEC}
    pull = github.open_pull_request(REPOSITORY, author="alice", files=files, title="Say hello")
    stage.remember("sha", pull.head_sha)
    stage.announce("approvals", f"{stage.settings.github.web_url}/{APPROVALS}")
    stage.announce("pull request", f"{stage.settings.github.web_url}/{REPOSITORY}/pull/{pull.number}")
    installed = github.webhook(
        "installation",
        "created",
        account="acme",
        account_type="Organization",
        sender="alice",
        repositories=[REPOSITORY],
    )
    opened = github.webhook("pull_request", "opened", repository=REPOSITORY, pull_request=pull.number)
    return [post(stage, installed), post(stage, opened)]


def _outside(stage: Stage) -> list[str]:
    missing = [] if stage.sandbox.github.issues(APPROVALS) else ["an issue that asks for approval"]
    return missing + concluded(stage, stage.recall("sha"), "action_required", BUILDS + TESTS)


NEWCOMER = Tale(
    name="newcomer",
    about="An account installs the App: an issue asks for its approval, and until then its checks say what to do.",
    begin=_install,
    steps=(
        Step("installation accepted", has("received", "github installation")),
        Step("task.process_installation_event", has("event", "task.process_installation_event")),
        Step("approval asked for", has("effect", "issue")),
        Step("account waits", has("run", "GithubAppInstallationHandler", "waiting for approval")),
        Step("pull request refused by the allowlist", has("decision", "allowlist: refused")),
        Step("checks say what to do", has("check", "action_required"), len(BUILDS + TESTS)),
    ),
    outside=_outside,
)
