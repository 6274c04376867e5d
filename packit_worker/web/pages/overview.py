"""The first page: how the service is doing, and what came in last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import render_template

from packit_worker.journal import budgets, overview, queues, story
from packit_worker.journal.base import now
from packit_worker.journal.budgets import Shown as Budget
from packit_worker.journal.overview import Latency, Source
from packit_worker.journal.queues import Queue
from packit_worker.journal.story import Summary
from packit_worker.web.door import the_door
from packit_worker.web.pages.routes import blueprint

#: How many of the latest deliveries stand on the page.
LATEST = 10
#: How many rate limits stand there, those with the least left first.
BUDGETS = 10
#: The chart in its own units: as wide as the hours, and so high.
_BAR, _GAP, HEIGHT = 20, 4, 100


@dataclass(frozen=True, kw_only=True)
class Bar:
    """An hour in the chart. ``ago``: how many hours ago it ended."""

    x: int
    y: float
    width: int
    height: float
    count: int
    ago: int


@dataclass(frozen=True, kw_only=True)
class Overview:
    """All that stands on the page, of one moment."""

    at: datetime
    queues: list[Queue]
    per_hour: list[int]
    sources: list[Source]
    latency: Latency | None
    failures: int
    budgets: list[Budget]
    latest: list[Summary]

    @property
    def oldest_seconds(self) -> float:
        """How long the oldest work that nobody has taken has been waiting."""
        return max((queue.oldest_seconds(self.at) for queue in self.queues), default=0.0)

    @property
    def dead(self) -> int:
        """How much was given up and not taken up again."""
        return sum(queue.dead for queue in self.queues)

    @property
    def bars(self) -> list[Bar]:
        """The chart of the deliveries per hour."""
        most = max(*self.per_hour, 1)
        return [
            Bar(
                x=number * _BAR,
                y=round(HEIGHT - HEIGHT * count / most, 1),
                width=_BAR - _GAP,
                height=round(HEIGHT * count / most, 1),
                count=count,
                ago=len(self.per_hour) - number - 1,
            )
            for number, count in enumerate(self.per_hour)
        ]

    @property
    def width(self) -> int:
        """The width of the chart, in its own units."""
        return len(self.per_hour) * _BAR - _GAP


@blueprint.get("/", endpoint="overview")
def page() -> str:
    """How the service is doing."""
    at, door = now(), the_door()
    # asked one by one: each answer shows that the database lives
    found = Overview(
        at=at,
        queues=door.look(queues.all_of),
        per_hour=door.look(lambda session: overview.per_hour(session, at)),
        sources=door.look(lambda session: overview.sources(session, at)),
        latency=door.look(lambda session: overview.latency(session, at)),
        failures=door.look(lambda session: overview.failures(session, at)),
        budgets=door.look(lambda session: budgets.latest(session, BUDGETS, at)),
        latest=door.look(lambda session: story.latest(session, LATEST)),
    )
    return render_template("overview.html", overview=found, height=HEIGHT)
