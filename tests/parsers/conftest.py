"""What the tests of the parsers share: parsing one message, and making a variant of a sample."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

import parsers
from events import Event
from parsers.sending import held


@pytest.fixture
def event_of() -> Callable[..., Event]:
    """Parse a message that must lead to exactly one event, and return it."""

    def parse(source: str, event_type: str | None, body: Any) -> Event:
        with held() as sendings:
            answer = parsers.parse(source, event_type, body)
        assert answer == parsers.Parsed()
        (sending,) = sendings
        assert sending.task == sending.event.task
        assert sending.kwargs == sending.event.facts()
        return sending.event

    return parse


@pytest.fixture
def refusal_of() -> Callable[..., parsers.Parsed]:
    """Parse a message that must lead to no event, and return the reason."""

    def parse(source: str, event_type: str | None, body: Any) -> parsers.Parsed:
        with held() as sendings:
            answer = parsers.parse(source, event_type, body)
        assert sendings == []
        assert (answer.ignored is None) != (answer.malformed is None)
        return answer

    return parse


@pytest.fixture
def changed() -> Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]:
    """A deep copy of a sample with the values at some dotted paths changed, or taken out (``...``)."""

    def change(sample: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
        result = copy.deepcopy(sample)
        for path, value in changes.items():
            *parents, last = path.split(".")
            place: Any = result
            for parent in parents:
                place = place[int(parent)] if isinstance(place, list) else place[parent]
            if value is ...:
                del place[last]
            else:
                place[last] = value
        return result

    return change
