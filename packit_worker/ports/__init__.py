"""What the worker asks of the systems outside, as protocols and the values that pass through them.

A file for each system; this is the list of all of them. Ground floor: anybody may import it. ``packit_worker.clients``
holds one implementation per system. Every method raises the errors of ``packit_worker.errors`` and no others:
TemporaryError (nothing happened), Unanswered (a write may have happened), RateLimited, NotFound, Refused.
"""

from packit_worker.ports.aliases import Aliases
from packit_worker.ports.checks import CheckState, CheckStatus, Conclusion
from packit_worker.ports.copr import Copr, CoprBuild, CoprOrder, CoprProject
from packit_worker.ports.dist_git import DistGit
from packit_worker.ports.fasjson import FasAccount, FasJson
from packit_worker.ports.forge import (
    Forge,
    ForgeProject,
    Permission,
    PullRequestState,
    PushAccess,
    ReadAccess,
)
from packit_worker.ports.koji import Koji, KojiOrder, KojiTask
from packit_worker.ports.posted import Posted
from packit_worker.ports.testing_farm import TestingFarm, TestRequest, TestRun, TestState
from packit_worker.ports.webhooks import SentWebhook, SentWebhooks

__all__ = [
    "Aliases",
    "CheckState",
    "CheckStatus",
    "Conclusion",
    "Copr",
    "CoprBuild",
    "CoprOrder",
    "CoprProject",
    "DistGit",
    "FasAccount",
    "FasJson",
    "Forge",
    "ForgeProject",
    "Koji",
    "KojiOrder",
    "KojiTask",
    "Permission",
    "Posted",
    "PullRequestState",
    "PushAccess",
    "ReadAccess",
    "SentWebhook",
    "SentWebhooks",
    "TestRequest",
    "TestRun",
    "TestState",
    "TestingFarm",
]
