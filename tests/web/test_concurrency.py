"""The same delivery many times at once: one row, one hint, success for all."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from packit_worker.journal import Journal

from .opening import BODY, WEBHOOK, opened, signed


def test_one_delivery_a_hundred_times_at_once(journal: Journal, tmp_path: Path) -> None:
    door = opened(journal, tmp_path)
    headers = signed(BODY)

    def post(_: int) -> tuple[int, str]:
        answer = door.client.post(WEBHOOK, data=BODY, headers=headers)
        return answer.status_code, answer.json["decision"]

    with ThreadPoolExecutor(100) as pool:
        answers = Counter(pool.map(post, range(100)))
    assert answers == {(202, "accepted"): 1, (202, "duplicate"): 99}
    assert door.count() == 1
    assert len(door.broker.sent) == 1
