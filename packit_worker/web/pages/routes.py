"""What all pages share: the blueprint they are routes of, and how they are turned. Used inside this folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, request

blueprint = Blueprint("pages", __name__)

#: Rows on a page.
SHOWN = 50
_LAST_PAGE = 10**6


@dataclass(frozen=True)
class Turn:
    """The page of a list that is asked for with ``?page=``, counted from 1. One row more is read than is shown."""

    number: int

    @property
    def limit(self) -> int:
        """How many rows to read."""
        return SHOWN + 1

    @property
    def offset(self) -> int:
        """How many rows to leave out."""
        return (self.number - 1) * SHOWN

    def shown(self, rows: Sequence[Any]) -> tuple[Sequence[Any], int | None]:
        """The rows to show, and the number of the next page if there is one."""
        return rows[:SHOWN], self.number + 1 if len(rows) > SHOWN else None


def turn() -> Turn:
    """The page that is asked for; what is no number is the first."""
    return Turn(min(max(request.args.get("page", 1, type=int), 1), _LAST_PAGE))
