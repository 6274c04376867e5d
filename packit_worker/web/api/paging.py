"""Pages of the API: ``page`` and ``per_page`` in, status 206 and ``Content-Range`` out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, fields, post_load, validate

PER_PAGE = (2, 10, 20, 30, 40, 50)
PARTIAL = 206


@dataclass(frozen=True)
class Page:
    """Which rows are wanted: ``limit`` of them behind the first ``offset``."""

    limit: int
    offset: int

    def answer(self, name: str, rows: Sequence[Any]) -> tuple[Sequence[Any], int, dict[str, str]]:
        """The answer to a request for a page. How many rows there are in all is not counted."""
        last = self.offset + self.limit
        return rows, PARTIAL, {"Content-Range": f"{name} {self.offset + 1}-{last}/*"}


class PageSchema(Schema):
    """``?page=2&per_page=20``. A page before the first is the first."""

    page = fields.Integer(
        load_default=1,
        # beyond that the database's own numbers end
        validate=validate.Range(max=10**9),
        metadata={"description": "Counted from 1."},
    )
    per_page = fields.Integer(
        load_default=10, validate=validate.OneOf(PER_PAGE), metadata={"description": "Rows on a page."}
    )

    @post_load
    def made(self, data: dict[str, int], **_: Any) -> Page:
        """The page that is asked for."""
        return Page(data["per_page"], (max(data["page"], 1) - 1) * data["per_page"])
