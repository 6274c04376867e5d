"""What a script holds, from its seed."""

from __future__ import annotations

from collections import Counter

from packit_worker.chaos import script


def test_the_same_seed_makes_the_same_script() -> None:
    assert script.write(7, 50, blows=5) == script.write(7, 50, blows=5)
    assert script.write(7, 50, blows=5) != script.write(8, 50, blows=5)


def test_every_target_is_hit_as_often_by_both_kinds() -> None:
    written = script.write(7, 400, blows=40)
    hits = Counter((blow.target, blow.kind) for blow in written.blows)
    assert hits == dict.fromkeys(
        [(target, kind) for target in script.TARGETS for kind in (script.KILL, script.STOP)], 20
    )
    assert {happening.kind for happening in written.happenings} == set(script.EVENTS)
    assert max(happening.at for happening in written.happenings) <= written.seconds


def test_a_short_script_has_something_to_be_about() -> None:
    assert [happening.kind for happening in script.write(7, 2, blows=0).happenings] == ["opened", "opened"]
