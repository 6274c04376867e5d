"""What a comment is answered: a reaction first, words last, and what it asks for in between. Pure."""

from __future__ import annotations

from dataclasses import replace

from events.base import Event
from events.families import IssueComment, PullRequestComment
from packit_worker import registry
from packit_worker.commands import Asked, Command, Verb
from packit_worker.errors import UserError
from packit_worker.handlers.base import Reply
from packit_worker.handlers.help import CommandAnswerHandler, CommandSeenHandler
from packit_worker.pipeline.planning import Plan, Run
from packit_worker.reporting import texts

SEEN, CONFUSED = "eyes", "confused"


def around(event: Event, asked: Asked, plan: Plan, trouble: UserError | None = None) -> list[Run]:
    """The plan's runs with a reaction before them and, where something has to be said, an answer behind them.

    ``trouble``: why there is no plan.
    """
    runs = [run for run in plan.runs if run.handler is not CommandAnswerHandler]
    said = [texts.mistake(mistake.line, mistake.message, mistake.nearest) for mistake in asked.mistakes]
    refused = [
        texts.comment_refused(refusal.verdict.reason, refusal.verdict.next_step) for refusal in plan.refusals
    ]
    if trouble is not None:
        refused.append(texts.comment_refused(str(trouble), trouble.next_step))
    idle = [
        texts.comment_idle(command.verb, plan.idle.get(command.verb) or _elsewhere(event, command))
        for command in asked.commands
        if trouble is None and not _is_answered(event, command, plan)
    ]
    paragraphs = tuple(dict.fromkeys((*said, *refused, *idle)))
    helps = bool(asked.of(Verb.HELP))
    reactions = ([SEEN] if runs or helps else []) + ([CONFUSED] if paragraphs else [])
    if not reactions:
        return runs
    runs.insert(0, Run(handler=CommandSeenHandler, job=None, reply=Reply(reactions=tuple(reactions))))
    if paragraphs or helps:
        only_refused = bool(refused) and not (said or idle or helps)
        reply = Reply(paragraphs=paragraphs, about=_about(event, once_for_all=only_refused), helps=helps)
        runs.append(Run(handler=CommandAnswerHandler, job=None, reply=reply))
    return runs


def refused(event: Event, reason: str, next_step: str | None) -> list[Run]:
    """What is run instead of a plan that may not be."""
    reply = Reply(
        paragraphs=(texts.comment_refused(reason, next_step),), about=_about(event, once_for_all=True)
    )
    return [
        Run(handler=CommandSeenHandler, job=None, reply=replace(reply, paragraphs=(), reactions=(CONFUSED,))),
        Run(handler=CommandAnswerHandler, job=None, reply=reply),
    ]


def _is_answered(event: Event, command: Command, plan: Plan) -> bool:
    if command.verb in plan.idle:
        return False
    return any(command.verb in answer.commands for answer in registry.answers_to(type(event)))


def _elsewhere(event: Event, command: Command) -> str:
    """Why a command does nothing here at all."""
    places = {
        texts.place(answer.family.__name__) for answer in registry.table() if command.verb in answer.commands
    }
    return texts.only_there(sorted(places)) if places else registry.NO_HANDLER_YET


def _about(event: Event, *, once_for_all: bool) -> str:
    """The key of an answer: of a comment; of refusals, of all comments of an account here, so that nobody can have
    us write one after the other."""
    assert isinstance(event, PullRequestComment | IssueComment)
    if once_for_all or event.comment_id is None:
        return f"{event.subject} {event.user_login.lower()}"
    return f"{event.subject} {event.comment_id}"
