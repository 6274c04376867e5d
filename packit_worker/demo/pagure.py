"""The tale of a pull request on Pagure, told by a signed hook and by the bus: one build, shown as flags."""

from __future__ import annotations

import requests

from packit_worker.config.service import normal_instance
from packit_worker.demo.pull_request import BUILDS, CONFIG, TESTS
from packit_worker.demo.stage import Stage
from packit_worker.demo.tale import CHROOTS, SPEC, Step, Tale, approve, has
from packit_worker.journal import hooks

PROJECT = "acme/kettle"
KEY = "the-key-that-pagure-shows-in-the-settings"


def _pull_request(stage: Stage) -> list[str]:
    """bob opens a pull request from his fork; he may commit to the project. Hook and bus tell of it."""
    pagure, instance = stage.sandbox.pagure, normal_instance(stage.settings.dist_git.url)
    pagure.add_project(PROJECT, owner="alice", commit=["bob"], hook_key=KEY)
    with stage.journal.write() as session:
        hooks.add(session, instance, PROJECT, KEY, by="demo")
    approve(stage, "acme")
    files = {".packit.yaml": CONFIG, "hello.spec": SPEC}
    opened = pagure.open_pull_request(PROJECT, author="bob", files=files, title="Boil quicker")
    stage.remember("sha", opened.commit_stop)
    stage.announce("pull request", f"{instance}/{PROJECT}/pull-request/{opened.id}")
    hook = pagure.webhook("pull-request.new", project=PROJECT, pull_request=opened.id)
    answer = requests.post(
        f"{stage.web_url}/api/webhooks/pagure", data=hook.body.encode(), headers=hook.headers, timeout=10
    )
    answer.raise_for_status()
    told = [f"fedora-messaging:{message.id}" for message in stage.sandbox.bus.messages()]
    return [str(answer.json()["delivery"]), *told]


def _outside(stage: Stage) -> list[str]:
    flags = stage.sandbox.pagure.flags(PROJECT, stage.recall("sha"))
    shown = {flag.username.rpartition("/")[2]: flag.status for flag in flags if flag.url}
    missing = [f"{name} is a success on Pagure" for name in BUILDS + TESTS if shown.get(name) != "success"]
    ordered = len(stage.sandbox.copr.builds())
    return missing + ([] if ordered == 1 else [f"one build in Copr, and not {ordered}"])


PAGURE = Tale(
    name="pagure",
    about="A pull request on Pagure, told twice, is built once and tested; flags show how it went.",
    begin=_pull_request,
    steps=(
        Step("hook accepted", has("received", "pagure pull-request.new")),
        Step("message of the bus accepted", has("received", "pagure.pull-request.new")),
        Step("one of the two is enough", has("ignored", "the same fact came in another delivery")),
        Step(
            "task.process_pull_request_pagure_event", has("event", "task.process_pull_request_pagure_event")
        ),
        Step("handler found", has("decision", "PullRequestCoprBuildHandler", "run")),
        Step("Copr build ordered", has("effect", "copr_build")),
        Step("builds green", has("check", "rpm-build", "success"), len(CHROOTS)),
        Step("tests green", has("check", "testing-farm", "success"), len(CHROOTS)),
    ),
    outside=_outside,
)
