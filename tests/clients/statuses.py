"""What HTTP statuses mean to every client of an API: the error of a call that reads, and of one that writes."""

from __future__ import annotations

from packit_worker.errors import NotFound, RateLimited, Refused, TemporaryError, Unanswered

STATUSES: list[tuple[int, type[Exception], type[Exception]]] = [
    (400, Refused, Refused),
    (401, Refused, Refused),
    (403, Refused, Refused),
    (404, NotFound, NotFound),
    (429, RateLimited, RateLimited),
    (500, TemporaryError, Unanswered),
    (503, TemporaryError, TemporaryError),
    (504, TemporaryError, Unanswered),
]
