"""What commands open: the configuration, the logs, the journal. Failures become one line and what to do."""

from __future__ import annotations

import getpass
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy.exc import SQLAlchemyError

from packit_worker import logs, migrations
from packit_worker.cli.lazy import Setting, Trouble
from packit_worker.config.service import ServiceConfig, ServiceConfigError, load_service_config
from packit_worker.journal import Journal, JournalUnavailable

UPGRADE = "packit-worker db upgrade"


def given(context: click.Context) -> Setting:
    """What stands before the command on the command line."""
    setting = context.find_object(Setting)
    return setting if setting is not None else Setting()


def settings(context: click.Context, *, is_process: bool = False) -> ServiceConfig:
    """The service's configuration; logs go to stderr without its secrets. Raises Trouble.

    ``is_process``: this is a process of the service, which logs as they all do, and not somebody's command.
    """
    setting = given(context)
    try:
        made = load_service_config(setting.config)
    except ServiceConfigError as error:
        named = (
            str(setting.config) if setting.config else "the file that --config or PACKIT_WORKER_CONFIG names"
        )
        raise Trouble(str(error), next_step=f"Correct {named}.") from None
    quiet = logging.INFO if is_process else logging.WARNING
    level = logging.DEBUG if setting.is_verbose else quiet
    logs.setup(made.secrets(), level=level, json=None if is_process else False)
    return made


def login() -> str:
    """The login name of who runs the command. Raises Trouble."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # A container's user need not have a name.
        raise Trouble("you have no login name here", next_step="Say who decides it: --by NAME.") from None


@contextmanager
def opened(made: ServiceConfig, *, may_be_missing: bool = False) -> Iterator[Journal]:
    """The journal, until the end of the context. Raises Trouble for a database that is away, empty or out of date."""
    try:
        journal = Journal(made.database_url)
    except (ValueError, SQLAlchemyError, ImportError) as error:
        raise Trouble(
            f"database_url: {error}", next_step="Correct database_url in the configuration."
        ) from None
    try:
        if not may_be_missing and _is_missing(journal):
            raise Trouble(f"there is no journal at {_place(journal)}", next_step=UPGRADE)
        yield journal
    except (JournalUnavailable, SQLAlchemyError) as error:
        raise _trouble(journal, error) from error
    finally:
        journal.dispose()


def _is_missing(journal: Journal) -> bool:
    """Whether the journal is a file that is not there; opening it would make an empty one."""
    file = journal.url.database
    return (
        journal.url.get_backend_name() == "sqlite"
        and file not in (None, "", ":memory:")
        and not Path(file).exists()
    )


def _trouble(journal: Journal, error: Exception) -> Trouble:
    message = f"{logs.censor(str(error).splitlines()[0])} (journal at {_place(journal)})"
    try:
        if migrations.pending(journal):
            return Trouble(f"the journal at {_place(journal)} is not up to date", next_step=UPGRADE)
    except SQLAlchemyError:
        pass
    return Trouble(message, next_step="See that the database runs, and that database_url is right.")


def _place(journal: Journal) -> str:
    return journal.url.render_as_string(hide_password=True)
