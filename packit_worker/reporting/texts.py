"""Every word said to users, to be used as ``texts.<name>``; beside this, a module for each noun.

Titles are one line and fit a commit status; the first line of a summary says what to do. Text of strangers goes through
``markdown`` first. ``again`` in what a text takes is how somebody has it done again there (see ``again``).
"""

# ruff: noqa: F403 - this is what the module is for

from packit_worker.reporting.access import *
from packit_worker.reporting.again import *
from packit_worker.reporting.comments import *
from packit_worker.reporting.copr import *
from packit_worker.reporting.downstream import *
from packit_worker.reporting.koji import *
from packit_worker.reporting.package_config import *
from packit_worker.reporting.testing_farm import *
from packit_worker.reporting.trouble import *
from packit_worker.reporting.words import *
