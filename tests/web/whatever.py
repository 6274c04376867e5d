"""Whatever may be sent to a door: headers and bodies for Hypothesis, and how often it is tried."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

MANY = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
#: What a server hands on: any latin-1 but line ends.
values = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=150)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=50),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=15,
)
bodies = st.binary(max_size=300) | anything.map(lambda found: json.dumps(found).encode())


def headers_of(*names: str) -> SearchStrategy[dict[str, str]]:
    """Some of these headers, with any values."""
    return st.dictionaries(st.sampled_from(names), values, max_size=8)
