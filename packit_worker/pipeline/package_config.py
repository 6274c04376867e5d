"""The package configuration at the commit that an event is about; one that cannot be used is shown on a check."""

from __future__ import annotations

import logging

from events.families import ProjectEvent, Result
from packit_worker.config.package import FILE_NAMES, PackageConfig, PackageConfigError
from packit_worker.errors import NotFound, UserError
from packit_worker.pipeline.case import Case
from packit_worker.pipeline.reporter import Reporter
from packit_worker.reporting import names, texts
from packit_worker.reporting.names import CheckId
from packit_worker.situation import configs
from packit_worker.situation.configs import Reading
from packit_worker.situation.origins import Origin

log = logging.getLogger(__name__)

STEP = "package configuration"


class Unusable(UserError):
    """There is no package configuration, or none that can be used; what follows has been decided and shown."""


def of_origin(case: Case, reporter: Reporter, origin: Origin) -> PackageConfig:
    """The package configuration at the origin's commit. Raises Unusable after it was decided what follows."""
    if origin.commit_sha is None:
        reason = "the event names no commit to read it at"
        case.ledger.decide(STEP, "ignored", reason)
        raise Unusable(reason, next_step="")
    reading = case.facts.reading
    if reading is None:
        reading = _read(case, origin.event, origin.commit_sha)
        case.ledger.read(origin.event.project_url, origin.commit_sha, reading)
    at = origin.commit_sha[:12]
    if reading.path is None:
        reason = f"there is no package configuration at {at}"
        next_step = f"Add {FILE_NAMES[0]} to the top directory of the project."
        case.ledger.decide(STEP, "none", reason, next_step=next_step)
        raise Unusable(reason, next_step=next_step)
    try:
        config = configs.understand(reading, origin.event.project_url)
    except PackageConfigError as error:
        next_step = "Correct the package configuration and push again."
        _show(case, reporter, texts.bad_config(error.path, _mistakes(error)), str(error), next_step)
        raise Unusable(str(error), next_step=next_step) from error
    case.ledger.decide(STEP, "read", f"{reading.path} at {at}")
    return config


def cannot_be_used(case: Case, reporter: Reporter, error: UserError) -> Unusable:
    """What to raise where a configuration can be read, and its jobs cannot be had as it wants them."""
    words = texts.bad_config("the package configuration", [texts.Mistake(message=str(error))])
    _show(case, reporter, words, str(error), error.next_step)
    return Unusable(str(error), next_step=error.next_step)


def _read(case: Case, event: ProjectEvent, sha: str) -> Reading:
    """Read it where the commit comes from; in the project itself where that is gone, or is no place of its own."""
    source = event.source_url
    if source is not None:
        try:
            return configs.read(case.shop.services.forge(source).project(source), sha)
        except NotFound as error:
            log.info("no configuration was read at %s: %s", source, error)
    return configs.read(case.project(), sha)


def _show(case: Case, reporter: Reporter, words: texts.Words, message: str, next_step: str) -> None:
    """The package configuration cannot be used: one neutral check says why."""
    case.ledger.decide(STEP, "invalid", message, next_step=next_step)
    if isinstance(case.event, Result) or not case.event.shows_bad_config:
        return
    case.note_project(case.facts.origin)
    reporter.want(CheckId(kind=names.PACKAGE_CONFIG, job="", target=""), words, None)


def _mistakes(error: PackageConfigError) -> list[texts.Mistake]:
    return [
        texts.Mistake(
            message=f"{problem.dotted}: {problem.message}" if problem.dotted else problem.message,
            line=problem.line,
            column=problem.column,
            nearest=problem.nearest,
        )
        for problem in error.problems
    ]
