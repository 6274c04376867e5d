"""The journal: what came in, what was decided and why, what was done outside. It is the truth; the broker only wakes.

One module per noun, each with its table and the few operations on it. Operations take a session and never commit:
where a transaction begins and ends is said by ``Journal.write()``, so that what belongs together is written together.
"""

from packit_worker.journal.database import Journal, JournalUnavailable, Session

__all__ = ["Journal", "JournalUnavailable", "Session"]
