"""Who answers what: the table of handlers."""

from __future__ import annotations

import pytest

import packit_worker.handlers  # noqa: F401
from events.base import Event
from events.dist_git import DistGitCommitEvent
from events.github import IssueCommentEvent, PullRequestCommentGHEvent, PushGithubGHEvent, ReleaseEvent
from events.gitlab import (
    IssueCommentGitlabEvent,
    MergeRequestCommentGitlabEvent,
    MergeRequestGitlabEvent,
    PushGitlabEvent,
    ReleaseGitlabEvent,
)
from events.pagure import PullRequestCommentPagureEvent, PushPagureEvent
from packit_worker import registry
from packit_worker.checks.permission import commenter_may_ask
from packit_worker.commands import Verb


def names(event: type[Event], verb: Verb | None = None) -> set[str]:
    return {
        answer.handler.__name__
        for answer in registry.answers_to(event)
        if verb is None or verb in answer.commands
    }


@pytest.mark.parametrize(
    ("event", "verb", "handler"),
    [
        (PullRequestCommentGHEvent, Verb.BUILD, "GitHubPullRequestCommentCoprBuildHandler"),
        (PullRequestCommentPagureEvent, Verb.BUILD, "PagurePullRequestCommentCoprBuildHandler"),
        (PullRequestCommentGHEvent, Verb.REBUILD_FAILED, "GitHubPullRequestCommentCoprBuildHandler"),
        (PullRequestCommentGHEvent, Verb.TEST, "GitHubPullRequestCommentTestingFarmHandler"),
        (PullRequestCommentPagureEvent, Verb.TEST, "GitHubPullRequestCommentTestingFarmHandler"),
        (PullRequestCommentGHEvent, Verb.RETEST_FAILED, "GitHubPullRequestCommentTestingFarmHandler"),
        (PullRequestCommentGHEvent, Verb.HELP, "CommandAnswerHandler"),
        (IssueCommentEvent, Verb.HELP, "CommandAnswerHandler"),
        (IssueCommentEvent, Verb.VERIFY_FAS, "VerifyFasHandler"),
        (PushGithubGHEvent, None, "PushCoprBuildHandler"),
        (PushPagureEvent, None, "PushCoprBuildHandler"),
        (MergeRequestGitlabEvent, None, "PullRequestCoprBuildHandler"),
        (MergeRequestCommentGitlabEvent, Verb.BUILD, "GitHubPullRequestCommentCoprBuildHandler"),
        (MergeRequestCommentGitlabEvent, Verb.TEST, "GitHubPullRequestCommentTestingFarmHandler"),
        (PushGitlabEvent, None, "PushCoprBuildHandler"),
        (ReleaseGitlabEvent, None, "ProposeDownstreamHandler"),
        (IssueCommentGitlabEvent, Verb.PROPOSE_UPDATE, "GitHubIssueCommentProposeUpdateHandler"),
        (ReleaseEvent, None, "ReleaseCoprBuildHandler"),
        (ReleaseEvent, None, "ProposeDownstreamHandler"),
        (IssueCommentEvent, Verb.PROPOSE_UPDATE, "GitHubIssueCommentProposeUpdateHandler"),
    ],
)
def test_answers(event: type[Event], verb: Verb | None, handler: str) -> None:
    assert handler in names(event, verb)


def test_nobody_answers_for_another_forge() -> None:
    assert "PagurePullRequestCommentCoprBuildHandler" not in names(PullRequestCommentGHEvent)
    assert "GitHubPullRequestCommentCoprBuildHandler" not in names(PullRequestCommentPagureEvent)
    assert names(DistGitCommitEvent) == {"NewDistGitCommitHandler"}


def test_what_is_asked_of_jobs_needs_permission() -> None:
    """A handler that works for jobs with our rights, because somebody says so, asks who that is."""
    for answer in registry.table():
        if answer.commands and answer.jobs:
            assert commenter_may_ask in answer.handler.checks, answer.handler.__name__
