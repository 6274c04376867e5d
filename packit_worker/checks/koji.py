"""What news of a task in Koji is this, and does a comment ask for one?"""

from __future__ import annotations

from dataclasses import replace

from events.koji import KojiBuildEvent
from packit_worker.checks.permission import author_may_build
from packit_worker.checks.verdict import Kind, Verdict, passed, skipped
from packit_worker.commands import Verb
from packit_worker.journal.builds import BuildState
from packit_worker.orders.koji import asked_for
from packit_worker.situation.job import Job
from packit_worker.situation.situation import Situation

#: Koji's words for the states of tasks and of builds that are kept. From FREE, ASSIGNED and DELETED nothing follows.
STATES = {
    "OPEN": BuildState.RUNNING,
    "BUILDING": BuildState.RUNNING,
    "CLOSED": BuildState.SUCCESS,
    "COMPLETE": BuildState.SUCCESS,
    "FAILED": BuildState.FAILURE,
    "CANCELED": BuildState.CANCELED,
}


def is_news(situation: Situation, job: Job | None) -> Verdict:
    """The task has got further than is known."""
    event = situation.event
    build = situation.origin.build if situation.origin else None
    if not isinstance(event, KojiBuildEvent) or build is None:
        return skipped("this is no news of a build of ours in Koji")
    state = STATES.get(event.state)
    if state is None:
        return skipped(f"nothing follows from the state {event.state}")
    if BuildState(build.state).is_final:
        return skipped("the end of this build has been dealt with already")
    if build.state == state:
        return skipped(f"late news: the build is {build.state} already")
    return passed(f"the build is {state} now")


def author_may_build_in_koji(situation: Situation, job: Job | None) -> Verdict:
    """As for builds in Copr, but it is another comment that lets it happen."""
    verdict = author_may_build(situation, job)
    if verdict.kind != Kind.REFUSE or verdict.next_step is None:
        return verdict
    return replace(
        verdict, next_step=verdict.next_step.replace("/packit build", f"/packit {Verb.PRODUCTION_BUILD}")
    )


def is_asked_for(situation: Situation, job: Job | None) -> Verdict:
    """The commands of a comment want a target of this job built in Koji."""
    assert job is not None
    targets = asked_for(situation, job)
    if targets:
        return passed(f"to be built for {', '.join(targets)}")
    if not situation.asked.of(Verb.PRODUCTION_BUILD):
        return skipped("no Koji build of this commit has failed")
    return skipped("it is not what the comment names")
