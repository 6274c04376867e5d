"""How people have something done again: what a check advises has to be possible where the check stands."""

from __future__ import annotations

from events.families import ProjectEvent, PullRequest, PullRequestComment, Push
from packit_worker.reporting import names

_COMMANDS = {
    names.RPM_BUILD: "/packit build",
    names.TESTING_FARM: "/packit test",
    names.KOJI_BUILD: "/packit production-build",
    names.PROPOSE_DOWNSTREAM: "/packit propose-downstream",
}
_BUTTON = "press Re-run beside this check"


def again(kind: str, event: ProjectEvent | None) -> str:
    """What to do, to have a check of this kind run again: ``comment `/packit build```. No sentence of its own.

    ``event`` is the one at the root (None: nobody knows). A push and a release have no comment to answer, and only
    GitHub has a button.
    """
    match event:
        case None:
            return "ask for it again"
        case PullRequest() | PullRequestComment():
            return f"comment `{_COMMANDS.get(kind, _COMMANDS[names.RPM_BUILD])}`"
        case _ if kind == names.PROPOSE_DOWNSTREAM:
            comment = f"comment `{_COMMANDS[kind]}` in an issue"
            return f"{_BUTTON}, or {comment}" if event.forge == "github" else comment
        case _ if event.forge == "github":
            return _BUTTON
        case Push():
            return "push again"
        case _:
            return "publish a new release"
