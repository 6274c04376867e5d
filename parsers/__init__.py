"""From payload to event task: one function per kind of message.

The middle storey: imports ``events``, never ``packit_worker``. No network, no database, no configuration; Celery only
to send.
"""

from parsers import copr, dist_git, github, gitlab, koji, pagure, testing_farm
from parsers.parsing import Parsed, parse
from parsers.payload import Ignored, MalformedPayload, Payload

__all__ = [
    "Ignored",
    "MalformedPayload",
    "Parsed",
    "Payload",
    "copr",
    "dist_git",
    "github",
    "gitlab",
    "koji",
    "pagure",
    "parse",
    "testing_farm",
]
