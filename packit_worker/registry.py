"""Which handler answers what. Handlers register here; planning, the help and the start-up self-check read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from events.base import LANES, Event, event_classes
from packit_worker.commands import Verb
from packit_worker.config.package import JobType

if TYPE_CHECKING:
    from packit_worker.handlers.base import Handler

H = TypeVar("H", bound="type[Handler]")

#: Events that no handler answers yet; they are written down as ignored, with these words.
NO_HANDLER_YET = "no handler yet"


class BrokenRegistry(Exception):
    """Something that is registered cannot work; the service does not start."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One line of the table: this handler answers events of this family for these job types.

    ``jobs`` empty: the handler needs no package configuration. ``needed_by``: job types that make the handler run even
    where the configuration has none of ``jobs`` (tests need a build). ``commands``: of a comment, only these are
    answered.
    """

    family: type[Event]
    handler: type[Handler]
    jobs: tuple[JobType, ...]
    needed_by: tuple[JobType, ...] = ()
    commands: tuple[Verb, ...] = ()
    about: str


_answers: list[Answer] = []


def answers(
    family: type[Event],
    *,
    jobs: Iterable[JobType] = (),
    needed_by: Iterable[JobType] = (),
    commands: Iterable[Verb] = (),
) -> Callable[[H], H]:
    """Register a handler class for a family of events (or one concrete event)."""

    def register(handler: H) -> H:
        about = (handler.__doc__ or "").strip().splitlines()
        _answers.append(
            Answer(
                family=family,
                handler=handler,
                jobs=tuple(jobs),
                needed_by=tuple(needed_by),
                commands=tuple(commands),
                about=about[0] if about else "",
            )
        )
        return handler

    return register


def answers_to(event: type[Event]) -> list[Answer]:
    """The lines of the table that concern an event class, in the order of registration.

    A handler gives way to a subclass of its own that answers the event too: so does the one of a forge take the place
    of the one for all.
    """
    found = [answer for answer in _answers if issubclass(event, answer.family)]
    handlers = {answer.handler for answer in found}
    return [
        answer
        for answer in found
        if not any(issubclass(other, answer.handler) for other in handlers - {answer.handler})
    ]


def table() -> Sequence[Answer]:
    """The whole table, in the order of registration."""
    return tuple(_answers)


def served_jobs() -> frozenset[JobType]:
    """The types of jobs that some handler runs."""
    return frozenset(job for answer in _answers for job in answer.jobs)


def unanswered() -> list[type[Event]]:
    """Event classes that end as ignored because no handler answers them yet."""
    return [event for event in event_classes() if not answers_to(event)]


def check(parsed: Iterable[type[Event]], waiting: Iterable[str]) -> None:
    """The start-up self-check. ``parsed``: events that a parser sends; ``waiting``: names of those without handler yet.

    Raises ``BrokenRegistry`` naming everything that is wrong.
    """
    wrong: list[str] = []
    for event in event_classes():
        if event not in set(parsed):
            wrong.append(f"{event.__name__} has no parser: nothing ever sends {event.task}")
    missing, known = {event.__name__ for event in unanswered()}, set(waiting)
    wrong += [f"{name} has no handler and is not marked as waiting for one" for name in missing - known]
    wrong += [
        f"{name} is marked as waiting for a handler, and has one or does not exist"
        for name in known - missing
    ]
    for answer in _answers:
        name = answer.handler.__name__
        if answer.handler.lane is not None and answer.handler.lane not in LANES:
            wrong.append(f"{name} wants the lane {answer.handler.lane!r}; lanes are {', '.join(LANES)}")
        if answer.family.by_hand != bool(answer.commands):
            wrong.append(f"{name} answers {answer.family.__name__}: comments are answered command by command")
        if not answer.about:
            wrong.append(f"{name} does not say what it does: its docstring is the help's text")
    if wrong:
        raise BrokenRegistry("; ".join(sorted(wrong)))
