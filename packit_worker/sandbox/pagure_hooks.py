"""What the stand-in for Pagure tells: signed hooks, and messages on the bus. Used inside the sandbox only.

Source: https://docs.pagure.org/pagure/usage/using_webhooks.html and the schemas of https://pagure.io/pagure-messages. A
fact told on both ways has another id on each.
"""

import hashlib
import hmac
import json
import time
import uuid
from typing import Any

from packit_worker.sandbox.git_repository import GitRepository
from packit_worker.sandbox.github_webhooks import NO_COMMIT, Delivery
from packit_worker.sandbox.pagure_json import Json, PagureShapes
from packit_worker.sandbox.pagure_state import Flag, PagureProject, PagureState, PagureUser

BY_PAGURE_ITSELF = ("pull-request.updated", "pull-request.rebased")


def signed(topic: str, message: Json, project: PagureProject, instance: str, number: int) -> Delivery:
    """The message as Pagure posts it to the hooks of a project."""
    now = time.gmtime()
    body = json.dumps(
        {
            "i": number,
            "msg": message | {"pagure_instance": instance, "project_fullname": project.fullname},
            "msg_id": f"{now.tm_year}-{uuid.uuid4()}",
            "timestamp": int(time.time()),
            "topic": topic,
        }
    ).encode()
    key = project.hook_key.encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "python-requests/sandbox",
        "X-Pagure": instance,
        "X-Pagure-project": project.fullname,
        "X-Pagure-Topic": topic,
        "X-Pagure-Signature": hmac.new(key, body, hashlib.sha1).hexdigest(),
        "X-Pagure-Signature-256": hmac.new(key, body, hashlib.sha256).hexdigest(),
    }
    return Delivery(json.loads(body)["msg_id"], headers, body)


class PagureMessages:
    """Writes the messages; each has the fields that real ones of its topic have."""

    def __init__(self, state: PagureState, shapes: PagureShapes) -> None:
        self._state = state
        self._shapes = shapes

    def pull_request(
        self,
        topic: str,
        project: PagureProject,
        number: int,
        *,
        agent: str | None = None,
        comment_id: int | None = None,
        flag: Flag | None = None,
    ) -> Json:
        """What is told under ``pull-request.*``."""
        pull = self._state.pull_request(project.fullname, number)
        shape = self._shapes.pull_request(project, pull)
        message: Json = {"pullrequest": shape}
        user: PagureUser = pull.user
        comment = next((one for one in pull.comments if one.id == comment_id), None)
        if topic == "pull-request.comment.edited" and comment is not None:
            message |= {"comment": self._shapes.comment(comment), "project": self._shapes.project(project)}
            user = comment.editor or comment.user
        elif topic.startswith("pull-request.comment"):
            user = (comment or pull.comments[-1]).user if pull.comments else user
        elif topic.startswith("pull-request.flag") and flag is not None:
            message["flag"] = self._shapes.flag(flag) | {"commit_hash": pull.commit_stop}
            user = flag.user
        elif topic.startswith("pull-request.tag"):
            message |= {"pull_request": shape, "tags": list(pull.tags)}
            message["project"] = self._shapes.project(project)
        elif topic == "pull-request.closed":
            message["merged"] = pull.status == "Merged"
            user = pull.closed_by or user
        return message | {"agent": agent or ("pagure" if topic in BY_PAGURE_ITSELF else user.name)}

    def receive(
        self,
        project: PagureProject,
        branch: str,
        *,
        before: str | None = None,
        after: str | None = None,
        agent: str | None = None,
        pull_request_id: int | None = None,
    ) -> Json:
        """What is told under ``git.receive``; by default of the last commit of the branch."""
        repository = project.repository
        after = after or repository.branches()[branch]
        if before is None:
            parents = repository.commit_text(after).parents
            before = parents[0] if parents else NO_COMMIT
        known = repository.reachable(before) if repository.has(before) else set()
        new = [commit for commit in repository.log(after) if commit.sha not in known]
        authors = {commit.author: commit.email for commit in new}
        message: Json = {
            "agent": agent or project.user.name,
            "repo": self._shapes.project(project),
            "branch": branch,
            "old_commit": before,
            "start_commit": new[-1].sha if new else after,
            "end_commit": after,
            "total_commits": len(new),
            "forced": repository.has(before) and not repository.is_ancestor(before, after),
            "authors": [
                {"name": None, "fullname": name, "email": email, "url_path": None}
                for name, email in authors.items()
            ],
            "changed_files": changed_files(repository, before, after),
        }
        if pull_request_id is not None:
            message["pull_request_id"] = pull_request_id
        return message

    def issue(self, project: PagureProject, number: int, agent: str | None = None) -> Json:
        """What is told under ``issue.*``."""
        issue = self._state.issue(project.fullname, number)
        shape = self._shapes.issue(project, issue)
        user = issue.comments[-1].user if issue.comments else issue.user
        return {"issue": shape, "project": self._shapes.project(project), "agent": agent or user.name}

    def commit_flag(self, project: PagureProject, flag: Flag) -> Json:
        """What is told under ``commit.flag.*``."""
        return {
            "repo": self._shapes.project(project),
            "flag": self._shapes.flag(flag),
            "agent": flag.user.name,
        }

    def about(
        self,
        topic: str,
        project: PagureProject,
        *,
        pull_request: int | None,
        issue: int | None,
        comment_id: int | None,
        branch: str | None,
        agent: str | None,
        **commits: Any,
    ) -> Json:
        """The message under a topic."""
        if pull_request is not None:
            return self.pull_request(topic, project, pull_request, agent=agent, comment_id=comment_id)
        if issue is not None:
            return self.issue(project, issue, agent)
        if topic == "git.receive":
            return self.receive(project, branch or project.repository.default_branch, agent=agent, **commits)
        return {"project": self._shapes.project(project), "agent": agent or project.user.name}


def changed_files(repository: GitRepository, before: str, after: str) -> dict[str, str]:
    """Path -> ``A``, ``M`` or ``D`` for what is different after a push."""
    old = repository.entries(before) if repository.has(before) else {}
    new = repository.entries(after)
    marks = {path: "A" if path not in old else "M" for path, entry in new.items() if old.get(path) != entry}
    return marks | {path: "D" for path in old if path not in new}
