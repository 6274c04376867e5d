"""Comments on GitLab, which calls them notes. Only ``clients`` imports it. https://docs.gitlab.com/api/notes/

A line that begins with a slash is a quick action to GitLab, carried out with our rights: no text of ours may hold one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

from gitlab.v4.objects import Project

from packit_worker.clients.gitlab_access import talking
from packit_worker.errors import NotFound
from packit_worker.ports import Posted

Kind = Literal["merge_requests", "issues"]
#: https://docs.gitlab.com/user/project/quick_actions/
_QUICK_ACTION = re.compile(r"(?m)^([ \t]*)/")
#: GitHub's words for reactions that GitLab has others for.
EMOJI = {"+1": "thumbsup", "-1": "thumbsdown", "hooray": "tada", "laugh": "laughing"}


class Notes:
    """The notes of one project. ``url`` is its page; ``login`` tells whose notes are ours."""

    def __init__(self, project: Project, url: str, login: Callable[[], str]) -> None:
        self._project = project
        self._url = url
        self._login = login

    def create(self, kind: Kind, number: int, body: str) -> Posted:
        """Write one. One call."""
        with talking(write=True):
            made = self._manager(kind, number).create({"body": harmless(body)})
            return self._posted(kind, number, int(made.attributes["id"]))

    def update(self, kind: Kind, number: int, note_id: str, body: str) -> None:
        """Change one of ours. One call. Raises NotFound."""
        if not note_id.isdecimal():
            raise NotFound(f"GitLab has no note {note_id!r}")
        with talking(write=True):
            self._manager(kind, number).update(int(note_id), {"body": harmless(body)})

    def find(self, kind: Kind, number: int, marker: str) -> Posted | None:
        """The newest of ours whose text holds the marker. One call for each hundred that are newer."""
        login = self._login()
        with talking():
            listed = self._manager(kind, number).list(
                sort="desc", order_by="created_at", per_page=100, iterator=True
            )
            for note in listed:
                told = note.attributes
                if told["author"]["username"] == login and marker in (told["body"] or ""):
                    return self._posted(kind, number, int(told["id"]))
        return None

    def react(self, kind: Kind, number: int, note_id: int, content: str) -> None:
        """Award an emoji. One call; safe to repeat. Raises NotFound."""
        name = EMOJI.get(content, content)
        try:
            with talking(write=True):
                note = self._manager(kind, number).get(note_id, lazy=True)
                note.awardemojis.create({"name": name})
        except NotFound as error:
            # https://docs.gitlab.com/api/emoji_reactions/: what is there already is answered 404
            if "already been taken" not in str(error):
                raise

    def _manager(self, kind: Kind, number: int) -> Any:
        places: Any = self._project.issues if kind == "issues" else self._project.mergerequests
        return places.get(number, lazy=True).notes

    def _posted(self, kind: Kind, number: int, note_id: int) -> Posted:
        return Posted(id=str(note_id), url=f"{self._url}/-/{kind}/{number}#note_{note_id}")


def harmless(text: str) -> str:
    """The text without quick actions; a reader sees the same."""
    return _QUICK_ACTION.sub(r"\1\\/", text)
