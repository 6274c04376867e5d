"""Words of strangers mean nothing in Markdown."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packit_worker.reporting import texts
from packit_worker.reporting.markdown import code, plain

HOSTILE = "@everyone [x](http://evil.example) <img src=x> `a` **b**\n# c"


def test_plain() -> None:
    shown = plain(HOSTILE)
    assert "@everyone" not in shown
    assert "](" not in shown
    assert "\n" not in shown


@given(st.text())
def test_code_stays_within_its_quotes(text: str) -> None:
    shown = code(text)
    assert shown.startswith("`")
    assert shown.endswith("`")
    assert "`" not in shown[1:-1]
    assert "\n" not in shown


@pytest.mark.parametrize(
    "said",
    [
        texts.mistake(HOSTILE, HOSTILE, HOSTILE),
        texts.comment_refused(HOSTILE, HOSTILE),
        texts.comment_idle("build", HOSTILE),
        texts.help_text(HOSTILE, [(HOSTILE, HOSTILE)], [(HOSTILE, HOSTILE)]),
        texts.approved(HOSTILE, HOSTILE, HOSTILE),
        texts.approval_denied(HOSTILE, HOSTILE),
        texts.not_the_installer(HOSTILE, HOSTILE, HOSTILE),
        texts.no_fedora_account(HOSTILE),
        texts.tests_refused(HOSTILE).summary,
    ],
)
def test_answers(said: str) -> None:
    outside = "".join(said.split("`")[::2])
    assert "@everyone" not in outside
    assert "](http" not in outside
    assert not re.search(r"(?<!\\)<img", outside)
