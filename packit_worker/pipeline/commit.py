"""The commit that an event is about, where the event does not tell it: the forge is asked, and the answer noted."""

from __future__ import annotations

from dataclasses import replace

from packit_worker.errors import UserError
from packit_worker.pipeline.case import Case
from packit_worker.situation import commits
from packit_worker.situation.origins import Origin


def at_its_commit(case: Case) -> Origin:
    """The origin of a case with its commit, as far as there is one.

    Raises UserError where nothing may be done for it, NotFound, TemporaryError.
    """
    origin = case.facts.origin
    assert origin is not None, "only events of a project have jobs"
    if origin.commit_sha is not None:
        return origin
    found = _look_up(case, origin)
    if found is None:
        return origin
    facts = {**found.facts, "commit_sha": found.sha}
    case.ledger.decide(commits.STEP, commits.READ, found.reason, facts=facts)
    tag = found.facts.get("tag_name")
    origin = replace(origin, event=found.event, commit_sha=found.sha, tag_name=tag)
    case.is_at(origin)
    return origin


def _look_up(case: Case, origin: Origin) -> commits.Commit | None:
    if case.facts.told is not None:
        return commits.again(origin.event, case.facts.told)
    try:
        return commits.look_up(
            case.project(), origin.event, seen=case.facts.heads, permission=case.permission
        )
    except commits.Moved as error:
        facts = {"commit_sha": error.sha}
        case.ledger.decide(commits.STEP, commits.MOVED, str(error), next_step=error.next_step, facts=facts)
        raise
    except UserError as error:
        case.ledger.decide(commits.STEP, "refused", str(error), next_step=error.next_step)
        raise
