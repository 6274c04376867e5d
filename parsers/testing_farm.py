"""Testing Farm: https://docs.testing-farm.io/; the call-back of today and the result as it was posted in 2020.

Both carry the secret by which Testing Farm is known (``token``); nothing here reads it.
"""

from __future__ import annotations

from events.base import Primitive
from events.testing_farm import TestingFarmResultEvent
from parsers.forms import key, link, name, namespace, page, ref, sha
from parsers.payload import Payload
from parsers.registry import ANY, parses
from parsers.sending import send

SOURCE = "testing-farm"

#: What is told when something went wrong before there was a result.
ERROR = "error"


@parses(SOURCE, ANY, sends=[TestingFarmResultEvent])
def result(payload: Payload) -> None:
    """The call-back of today only says that there is news of a request: the rest is fetched from the API."""
    if payload.has("request_id"):
        send(TestingFarmResultEvent, pipeline_id=payload.read("request_id", key))
    else:
        send(TestingFarmResultEvent, **_result_of_2020(payload))


def _result_of_2020(payload: Payload) -> dict[str, Primitive]:
    message = payload.optional("message")
    return {
        "pipeline_id": payload.read("pipeline.id", key),
        "result": payload.optional("result") or (ERROR if message else None),
        "message": message,
        "log_url": payload.read_optional("url", link),
        "copr_repo_name": payload.optional("artifact.copr-repo-name"),
        "copr_chroot": payload.optional("artifact.copr-chroot"),
        "repo_namespace": payload.read_optional("artifact.repo-namespace", namespace),
        "repo_name": payload.read_optional("artifact.repo-name", name),
        "git_ref": payload.read_optional("artifact.git-ref", ref),
        "project_url": payload.read_optional("artifact.git-url", page),
        "commit_sha": payload.read_optional("artifact.commit-sha", sha),
        "tests": ",".join(test.optional("name") or "" for test in payload.parts("tests")) or None,
    }
