"""What a comment asks for; ``conversing`` has what it is answered."""

from __future__ import annotations

from dataclasses import replace

from events.families import IssueComment, PullRequestComment
from packit_worker.commands import Asked, Mistake
from packit_worker.errors import UserError
from packit_worker.pipeline.case import Case
from packit_worker.situation import origins


def heard(case: Case, event: PullRequestComment | IssueComment) -> Asked:
    """What a comment asks for; nothing, with the reason written down, if it asks for nothing."""
    ledger = case.ledger
    if event.user_is_bot or case.shop.services.forge(event.project_url).is_ours(event.user_login):
        ledger.decide("comment", "ignored", f"{event.user_login} is a program, and programs give no commands")
        return Asked()
    if event.comment_before is None and case.facts.comment_before is not None:
        event = replace(event, comment_before=case.facts.comment_before)
    asked = origins.asked_by(event)
    if not asked:
        new = "new " if event.comment_before is not None else ""
        ledger.decide("comment", "ignored", f"the comment holds no {new}command")
        return asked
    asked = _with_real_targets(case, asked)
    for mistake in asked.mistakes:
        ledger.decide("comment", "mistake", mistake.message, next_step=mistake.nearest)
    for command in asked.commands:
        ledger.decide("comment", "understood", f"it asks for {command.verb}")
    return asked


def _with_real_targets(case: Case, asked: Asked) -> Asked:
    """The same, with commands that name what cannot be a target among the mistakes."""
    commands, mistakes = [], list(asked.mistakes)
    for command in asked.commands:
        try:
            case.named(command.targets)
            commands.append(command)
        except UserError as error:
            mistakes.append(Mistake(line=f"/packit {command.verb}", message=f"{error}. {error.next_step}"))
    return Asked(commands=tuple(commands), mistakes=tuple(mistakes))
