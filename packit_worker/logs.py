"""Logs: one format for all processes, without secrets, and with the ids that lead to a story in the journal.

Every process calls ``setup`` once; anybody may call ``about`` and ``add_secret``. Lines of text on a terminal, JSON
lines elsewhere.
"""

from __future__ import annotations

import base64
import importlib
import json as json_
import logging
import re
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

CENSORED = "[secret]"

#: Libraries that tell more than anybody wants to know, or whole requests.
NOISY = (
    *("alembic", "amqp", "asyncio", "celery.bootsteps", "copr", "filelock", "github", "kombu", "ogr", "pika"),
    *("requests", "sqlalchemy", "twisted", "urllib3"),
)

#: What is shorter is no secret, and taking it out would take out half of every line.
_SHORTEST = 4
#: Tokens that GitHub mints, and what we sign to get them, are known by their looks: they come and go by the hour.
_MINTED = r"\b(?:gh[opsur]_\w{20,}|github_pat_\w{20,}|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,})"
_ids: ContextVar[dict[str, str]] = ContextVar("ids")


class Censor:
    """Takes secrets out of texts: as they are, in base64 and URL-encoded, and the single lines of long ones."""

    def __init__(self) -> None:
        self._forms: set[str] = set()
        self._pattern = re.compile(_MINTED, re.ASCII)
        self._lock = threading.Lock()

    def add(self, value: str) -> None:
        """From now on this is not to be seen."""
        forms = {form for form in _forms(value) if len(form) >= _SHORTEST}
        with self._lock:
            if forms <= self._forms:
                return
            self._forms |= forms
            # The longest first: of a secret inside another nothing shall stay.
            ordered = sorted(self._forms, key=lambda form: (-len(form), form))
            self._pattern = re.compile("|".join([*map(re.escape, ordered), _MINTED]), re.ASCII)

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        return self._pattern.sub(CENSORED, text)


def _forms(value: str) -> Iterator[str]:
    text = value.strip()
    if len(text) < _SHORTEST:
        return
    lines = [line.strip() for line in text.splitlines()]
    # Of a key in several lines each is a secret; what frames it is none.
    parts = [
        text,
        *[line for line in lines if len(lines) > 1 and len(line) >= 16 and not line.startswith("-----")],
    ]
    for part in parts:
        yield part
        yield repr(part)[1:-1]
        yield json_.dumps(part)[1:-1]
        yield quote(part)
        yield quote(part, safe="")
        yield quote_plus(part)
        yield from _in_base64(part.encode())


def _in_base64(raw: bytes) -> Iterator[str]:
    """How bytes look in base64, alone and behind others, as the password in an Authorization header is."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(raw).decode().rstrip("=")
        for before in (1, 2):
            # Characters that hold bits of what stands before or behind are left out.
            first, last = (before * 8 + 5) // 6, (before + len(raw)) * 8 // 6
            yield encode(b"\0" * before + raw).decode()[first:last]


#: The secrets of this process. Whoever sends texts elsewhere (Sentry) takes them out with it.
censor = Censor()


def add_secret(value: str) -> None:
    """Keep a secret out of the logs that came up at run time: a token that was minted."""
    censor.add(value)


@contextmanager
def about(**ids: str | None) -> Iterator[None]:
    """What is logged inside carries these ids (``delivery``, ``event``...)."""
    token = _ids.set({**_ids.get({}), **{name: value for name, value in ids.items() if value}})
    try:
        yield
    finally:
        _ids.reset(token)


def current_ids() -> dict[str, str]:
    """The ids of what this thread works on: those of ``about``, else those of Celery's current task."""
    return _ids.get({}) or _ids_of_task()


def _ids_of_task() -> dict[str, str]:
    # Without Celery in the process there is no task, and importing it takes a while.
    celery = sys.modules.get("celery")
    task = getattr(celery, "current_task", None)
    request = getattr(task, "request", None) if task else None
    if request is None or not request.id:
        return {}
    if request.root_id and request.root_id != request.id:
        return {"delivery": request.root_id, "event": request.id}
    # The first task of a delivery has its id; a check is shown by a task of its own, which has the check's.
    return {"check" if request.get("task") == "task.show_check" else "delivery": request.id}


class Filter(logging.Filter):
    """Makes records fit to be seen: secrets are taken out of message, arguments and exception; ids are put in."""

    _formatter = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record; lets every one through."""
        try:
            message = record.getMessage()
        except Exception as error:
            # A wrong format is a bug of one line, which is no reason to lose what it tells.
            message = f"{record.msg} {record.args!r} ({error})"
        record.msg, record.args = censor(message), None
        if record.exc_info and not record.exc_text:
            record.exc_text = self._formatter.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = censor(record.exc_text)
        if record.stack_info:
            record.stack_info = censor(record.stack_info)
        if not hasattr(record, "ids"):
            record.ids = current_ids()
        return True


class Lines(logging.Formatter):
    """Lines for people."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """``<time> <level> <process>[<pid>] <logger>: <message> [<ids>]``, and the exception below."""
        ids = " ".join(f"{name}={value}" for name, value in _ids_of(record).items())
        lines = [
            f"{_time(record)} {record.levelname:<7} {self._process}[{record.process}] {record.name}: "
            f"{record.getMessage()}{f' [{ids}]' if ids else ''}",
            *[text for text in (record.exc_text, record.stack_info) if text],
        ]
        return censor("\n".join(lines))


class JsonLines(Lines):
    """Lines for programs: one JSON object a record."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON."""
        made: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname,
            "process": self._process,
            "pid": record.process,
            "logger": record.name,
            "message": record.getMessage(),
            **_ids_of(record),
        }
        if record.exc_text:
            made["exception"] = record.exc_text
        if record.stack_info:
            made["stack"] = record.stack_info
        return censor(json_.dumps(made, default=str))


def setup(
    settings_secrets: Iterable[str],
    *,
    level: int | str = logging.INFO,
    json: bool | None = None,
    process: str | None = None,
) -> None:
    """Send this process's logs to stderr. ``json``: None means that a terminal gets text and everything else JSON.

    ``process`` is what the process is called in them; None takes it from the command line. May be called again.
    """
    for secret in settings_secrets:
        censor.add(secret)
    as_json = not sys.stderr.isatty() if json is None else json
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter((JsonLines if as_json else Lines)(process or _process_name(sys.argv)))
    handler.addFilter(Filter())
    handler.set_name(__name__)
    root = logging.getLogger()
    root.handlers = [there for there in root.handlers if there.get_name() != __name__] + [handler]
    root.setLevel(level)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    if "celery" in sys.modules:
        # Celery sets up logging of its own unless somebody says that it has been done.
        signals = importlib.import_module("celery.signals")
        signals.setup_logging.connect(_is_set_up, weak=False, dispatch_uid=__name__)


def _is_set_up(**_: object) -> None:
    """Nothing is left to do for Celery."""


def _process_name(argv: list[str]) -> str:
    """What to call a process: a Celery worker's name, or that of the program and its command."""
    for option, value in pairwise(argv):
        if option == "--hostname":
            return value.partition("@")[0]
    program = Path(argv[0] if argv else "python")
    name = program.parent.name if program.stem == "__main__" else program.stem
    command = argv[1] if len(argv) > 1 and argv[1].isalpha() else ""
    return f"{name} {command}".strip()


def _ids_of(record: logging.LogRecord) -> dict[str, str]:
    ids: dict[str, str] = getattr(record, "ids", {})
    return ids


def _time(record: logging.LogRecord) -> str:
    return (
        datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
