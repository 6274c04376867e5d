"""``python -m packit_worker.migrations "what changes"``: writes a migration for what the tables have in addition."""

from __future__ import annotations

import sys
import tempfile

from alembic import command

from packit_worker import migrations
from packit_worker.journal import Journal


def main() -> None:
    """Compare the tables with a database made by the migrations there are, and write the difference as the next one."""
    if len(sys.argv) != 2 or not sys.argv[1].strip():
        sys.exit('say what changes: make migration MESSAGE="builds know their package"')
    with tempfile.TemporaryDirectory() as directory:
        journal = Journal(f"sqlite:///{directory}/journal.sqlite")
        migrations.upgrade(journal)
        with journal.engine.begin() as connection:
            number = len(migrations.revisions()) + 1
            command.revision(
                migrations.config(connection), message=sys.argv[1], autogenerate=True, rev_id=f"{number:04}"
            )
        journal.dispose()


if __name__ == "__main__":
    main()
