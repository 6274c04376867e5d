"""The base of every event: a fact from outside, in the words its Celery task carries.

An event class *is* the contract of its task: the fields are the task's keyword arguments, the class
attributes say what the task is called, on which lane it runs and which of the four steps it needs.
Everybody may import this module; it imports the standard library only.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from dataclasses import dataclass
from typing import Any, ClassVar

from events.outcome import Outcome
from events.pipeline import current

#: Lanes are Celery queues. Short work never waits behind long work.
PARSE = "parse"
SHORT_RUNNING = "short-running"
LONG_RUNNING = "long-running"
REPORT = "report"
LANES = (PARSE, SHORT_RUNNING, LONG_RUNNING, REPORT)

#: What may stand in a task's keyword arguments. Nothing nested: kombu gives nested objects a meaning of its own.
Primitive = str | int | float | bool | None

_by_task: dict[str, type[Event]] = {}


class InvalidFact(ValueError):
    """A fact has a value its event cannot carry.

    ``fact`` is the field's name, ``why`` says what is wrong with the value.
    """

    def __init__(self, fact: str, why: str) -> None:
        super().__init__(f"{fact}: {why}")
        self.fact = fact
        self.why = why


class UnknownTask(LookupError):
    """No event class answers to this task name."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened outside. Frozen; built from keyword arguments only.

    Raises ``InvalidFact`` when a value has not the type its field declares.
    """

    #: Name of the Celery task that carries this event; empty for families, which no task carries.
    task: ClassVar[str] = ""
    lane: ClassVar[str] = SHORT_RUNNING
    #: The forge whose rules apply ("github", "pagure", "gitlab"); None for build and test systems.
    forge: ClassVar[str | None] = None
    #: Whether a private project has to be let in before anything is done.
    checks_project: ClassVar[bool] = True
    #: Whether the account behind the event has to be on the allowlist.
    checks_account: ClassVar[bool] = True
    #: Whether a package configuration that cannot be used is shown on the commit: not where nobody has let us in.
    shows_bad_config: ClassVar[bool] = True
    #: The trigger of the jobs that this event starts, as written in a package configuration.
    trigger: ClassVar[str | None] = None
    #: Whether somebody asks for something in a comment: then only what the commands ask for is done.
    by_hand: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not cls.__dict__.get("task"):
            return
        if cls.task in _by_task:
            raise TypeError(f"{cls.__name__} and {_by_task[cls.task].__name__} both claim {cls.task}")
        if cls.lane not in LANES:
            raise TypeError(f"{cls.__name__}: no lane is called {cls.lane!r}; lanes are {', '.join(LANES)}")
        _by_task[cls.task] = cls

    def __post_init__(self) -> None:
        for name, allowed in _field_types(type(self)).items():
            _check(name, getattr(self, name), allowed)

    @property
    def subject(self) -> str:
        """What the event is about (the URL of a pull request, branch, build...).

        Events of one subject are worked on in the order in which they arrived.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say what it is about")

    @property
    def same_as(self) -> str | None:
        """A key that two messages about one and the same fact share, or None.

        A forge can tell a fact twice under two delivery ids; the second is recorded as a duplicate.
        """
        return None

    def facts(self) -> dict[str, Primitive]:
        """The keyword arguments of this event's task."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def process(self) -> list[Outcome]:
        """Do what this event asks for: look at the project, find the handlers, ask the allowlist, run.

        The four steps belong to the worker (``events.pipeline``); this is the order they come in.
        Returns how each run ended; an empty list means that nothing had to be done, and the pipeline
        has written down why.
        """
        pipeline = current()
        if self.checks_project and not pipeline.is_open_project(self):
            return []
        plan = pipeline.plan(self)
        if plan and self.checks_account and not pipeline.is_approved(self, plan):
            return []
        return [pipeline.run(run) for run in plan]


def event_class(task: str) -> type[Event]:
    """The event class that the task carries. Raises ``UnknownTask``."""
    try:
        return _by_task[task]
    except KeyError:
        raise UnknownTask(f"no event is carried by {task!r}") from None


def event_classes() -> tuple[type[Event], ...]:
    """Every concrete event class, sorted by task name."""
    return tuple(_by_task[task] for task in sorted(_by_task))


def rebuild(task: str, kwargs: dict[str, Any]) -> Event:
    """The event again, from its task's name and keyword arguments.

    Arguments that a newer or older release put there and this one does not know are left out, so that a rolling
    deployment loses nothing. Raises ``UnknownTask``, ``InvalidFact`` (a value of the wrong type, or one missing).
    """
    cls = event_class(task)
    known = {field.name for field in dataclasses.fields(cls)}
    facts = {name: value for name, value in kwargs.items() if name in known}
    for field in dataclasses.fields(cls):
        if field.name not in facts and field.default is dataclasses.MISSING:
            raise InvalidFact(field.name, "is missing")
    return cls(**facts)


_types: dict[type[Event], dict[str, tuple[type, ...]]] = {}


def _field_types(cls: type[Event]) -> dict[str, tuple[type, ...]]:
    if cls not in _types:
        hints = typing.get_type_hints(cls)
        _types[cls] = {field.name: _members(hints[field.name]) for field in dataclasses.fields(cls)}
    return _types[cls]


def _members(hint: Any) -> tuple[type, ...]:
    if isinstance(hint, types.UnionType):
        return tuple(hint.__args__)
    return (hint,)


def _check(name: str, value: Any, allowed: tuple[type, ...]) -> None:
    # type() and not isinstance(): True is an int to Python, and a pull request number it is not.
    if type(value) not in allowed:
        wanted = " or ".join("null" if t is types.NoneType else t.__name__ for t in allowed)
        raise InvalidFact(name, f"is {type(value).__name__}, not {wanted}")
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidFact(name, f"is {value}, not a number that JSON has")
    if isinstance(value, str):
        if "\x00" in value:
            raise InvalidFact(name, "holds a NUL character")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InvalidFact(name, "holds half a surrogate pair") from None
    elif isinstance(value, int) and abs(value) > 2**63 - 1:
        raise InvalidFact(name, "does not fit into 64 bits")
