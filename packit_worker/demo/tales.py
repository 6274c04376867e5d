"""The tales there are, by name. A new one is a module beside this one and a name here."""

from __future__ import annotations

from packit_worker.demo.comment import COMMENT
from packit_worker.demo.dist_git import DIST_GIT
from packit_worker.demo.gitlab import GITLAB
from packit_worker.demo.newcomer import NEWCOMER
from packit_worker.demo.pagure import PAGURE
from packit_worker.demo.pull_request import FAILURE, PULL_REQUEST
from packit_worker.demo.push import PUSH, RELEASE
from packit_worker.demo.tale import Tale

TALES: dict[str, Tale] = {
    tale.name: tale
    for tale in (PULL_REQUEST, PUSH, RELEASE, COMMENT, FAILURE, NEWCOMER, DIST_GIT, PAGURE, GITLAB)
}
