"""Answers to comments: that a command was seen, what was wrong with it, what may be asked for."""

from __future__ import annotations

import hashlib
from typing import ClassVar

from events.families import IssueComment, PullRequestComment
from packit_worker import registry
from packit_worker.checks.permission import commenter_may_ask
from packit_worker.checks.verdict import Kind
from packit_worker.commands import Verb, usage
from packit_worker.effecting import Calls
from packit_worker.errors import NotFound, Refused
from packit_worker.handlers.base import Handler, Reply
from packit_worker.ports import Posted
from packit_worker.registry import answers
from packit_worker.reporting import texts

COMMENT, REACTION = "comment", "reaction"


class CommentHandler(Handler):
    """Something that is done about a comment."""

    @property
    def comment(self) -> PullRequestComment | IssueComment:
        event = self.context.event
        assert isinstance(event, PullRequestComment | IssueComment)
        return event

    @property
    def number(self) -> int:
        """The number of the pull request or issue."""
        event = self.comment
        return event.pr_id if isinstance(event, PullRequestComment) else event.issue_id

    @property
    def reply(self) -> Reply:
        assert self.context.reply is not None
        return self.context.reply

    def answer(self, paragraphs: tuple[str, ...], about: str) -> str:
        """Say it in a comment; in the one that was written before for the same ``about``, if there is one."""
        project = self.context.project()
        name = hashlib.sha256(about.encode()).hexdigest()
        marker = f"<!-- packit_worker:{name} -->"
        body = "\n\n".join((*paragraphs, marker))
        written = False

        def write() -> Posted:
            nonlocal written
            written = True
            return project.create_comment(self.number, body)

        request = {"number": self.number, "text": body}
        posted = self.context.desk.once(
            COMMENT,
            name,
            request,
            Calls(write, lambda: project.find_comment(self.number, marker)),
            key=f"{COMMENT}/{name}",
        )
        if written:
            return f"answered: {posted.url}"

        def change() -> Posted:
            project.update_comment(self.number, posted.id, body)
            return posted

        version = hashlib.sha256(body.encode()).hexdigest()[:16]
        # Changing a comment to the same text a second time changes nothing, so there is nothing to look for.
        self.context.desk.once(
            COMMENT, name, request, Calls(change, lambda: None), key=f"{COMMENT}/{name}/{version}"
        )
        return f"answered in the earlier comment: {posted.url}"


class CommandSeenHandler(CommentHandler):
    """Shows with a reaction that a command was seen."""

    needs_approval: ClassVar[bool] = False

    def run(self) -> str:
        comment_id = self.comment.comment_id
        if comment_id is None:
            return "the forge does not tell which comment it was"
        project = self.context.project()
        for content in self.reply.reactions:

            def react(content: str = content) -> Posted:
                project.create_reaction(comment_id, content)
                return Posted(id=content)

            try:
                self.context.desk.once(
                    REACTION, content, {"comment": comment_id, "content": content}, Calls(react, lambda: None)
                )
            except (NotFound, Refused) as error:
                # Nothing depends on it: the comment may be gone, or reactions be locked.
                return f"no reaction: {error}"
        return f"reacted with {' and '.join(self.reply.reactions)}"


@answers(PullRequestComment, commands=[Verb.HELP])
@answers(IssueComment, commands=[Verb.HELP])
class CommandAnswerHandler(CommentHandler):
    """Says what you may ask for here, and what was wrong with a command."""

    needs_approval: ClassVar[bool] = False

    def run(self) -> str:
        paragraphs = self.reply.paragraphs
        if self.reply.helps:
            paragraphs = (*paragraphs, self._help())
        try:
            return self.answer(paragraphs, self.reply.about)
        except (NotFound, Refused) as error:
            return f"no answer could be given: {error}"

    def _help(self) -> str:
        """What the commenter may run here, and who may run the rest."""
        situation = self.context.situation
        may_ask = commenter_may_ask(situation, None).kind == Kind.PASS
        allowed: dict[Verb, str] = {}
        others: dict[Verb, str] = {}
        for answer in registry.answers_to(type(self.comment)):
            for verb in answer.commands:
                limited = commenter_may_ask in answer.handler.checks
                here = answer.jobs or all(
                    check(situation, None).kind != Kind.SKIP
                    for check in answer.handler.checks
                    if check is not commenter_may_ask
                )
                if here:
                    (allowed if may_ask or not limited else others).setdefault(verb, answer.about)
        lines = [[(usage(verb), about) for verb, about in verbs.items()] for verbs in (allowed, others)]
        return texts.help_text(self.comment.user_login, *lines)
