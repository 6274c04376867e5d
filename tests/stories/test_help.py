"""``/packit help``: what you may run here, and who may run the rest."""

from __future__ import annotations

from .test_comments import answers, reactions, say
from .world import World


def test_for_a_maintainer(world: World) -> None:
    pull = world.repository()
    say(world, pull, "/packit help")
    (answer,) = answers(world, pull)
    assert answer.startswith("alice may run here:")
    assert "/packit build [--identifier ID]" in answer
    assert "/packit test" in answer
    assert "verify-fas" not in answer, "that is for issues"
    assert reactions(world, pull) == [["eyes"]]


def test_for_an_outsider(world: World) -> None:
    pull = world.repository()
    say(world, pull, "/packit help", sender="stranger")
    (answer,) = answers(world, pull)
    mine, others = answer.split("Those with write or admin permission")
    assert "/packit help" in mine
    assert "/packit build" not in mine
    assert "/packit build" in others


def test_together_with_a_mistake(world: World) -> None:
    pull = world.repository()
    say(world, pull, "/packit hepl\n/packit help")
    (answer,) = answers(world, pull)
    assert "Did you mean `help`?" in answer
    assert "alice may run here:" in answer
    assert reactions(world, pull) == [["eyes", "confused"]]
