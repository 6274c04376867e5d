"""Checks before a run: pure functions, facts in, verdict and reason out. A check never acts; the pipeline acts on
verdicts.

(The checks shown on a commit are another thing: ``packit_worker.reporting``.)
"""

from packit_worker.checks.verdict import Check, Verdict, passed, refused, skipped

__all__ = ["Check", "Verdict", "passed", "refused", "skipped"]
