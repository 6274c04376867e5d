"""What happened: one frozen dataclass per kind of event, its fields the arguments of its Celery task.

The lowest storey: standard library only, imports neither ``parsers`` nor ``packit_worker``.
"""

from events import copr, dist_git, github, gitlab, koji, pagure, testing_farm
from events.base import Event, InvalidFact, UnknownTask, event_class, event_classes, rebuild
from events.outcome import Ending, Outcome

__all__ = [
    "Ending",
    "Event",
    "InvalidFact",
    "Outcome",
    "UnknownTask",
    "copr",
    "dist_git",
    "event_class",
    "event_classes",
    "github",
    "gitlab",
    "koji",
    "pagure",
    "rebuild",
    "testing_farm",
]
