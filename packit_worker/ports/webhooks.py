"""The webhooks that a forge has sent, for those that did not arrive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class SentWebhook:
    """One attempt of a forge to deliver a webhook.

    ``guid`` is the delivery's id, which all attempts share; ``id`` is that of the attempt. ``status_code`` is what was
    answered, by us or by whoever stands in front of us.
    """

    id: int
    guid: str
    event_type: str
    action: str | None
    delivered_at: datetime
    status_code: int

    @property
    def failed(self) -> bool:
        return not 200 <= self.status_code < 300


class SentWebhooks(Protocol):
    """The webhooks that a forge has sent, as it remembers them."""

    def deliveries(self, since: datetime) -> Iterator[SentWebhook]:
        """The attempts since then, newest first. One call per hundred, made as they are needed."""

    def redeliver(self, attempt_id: int) -> None:
        """Have it sent once more, with the same guid. One call; safe to repeat. Raises NotFound for one too old."""
