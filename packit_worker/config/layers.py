"""What the two readers of package configurations share: loading a layer of a file, and making settings of layers.

For `present` and `legacy` only.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError

from packit_worker.config.jobs import JobConfig, JobTrigger, JobType, PackageSettings
from packit_worker.config.loading import Path
from packit_worker.config.problems import Problems

Layer = dict[str, Any]

_TEXT_FOR_LIST = ("targets", "dist_git_branches")  # in a job one text may stand for a list of one


@dataclass(frozen=True)
class Names:
    """What is known of the repository beside the file: its short name and its top-level spec files, in order."""

    path: str
    repo_name: str
    spec_files: Sequence[str]


def load_layer(
    schema: Schema,
    layer: Mapping[Any, Any],
    place: Path,
    problems: Problems,
    places: Mapping[Hashable, Path] | None = None,
) -> Layer:
    """The values of one layer, loaded; what is wrong goes to ``problems`` and is left out."""
    try:
        loaded: Layer = schema.load(layer)
    except ValidationError as error:
        problems.add_tree(place, error.messages, places)
        return dict(error.valid_data) if isinstance(error.valid_data, Mapping) else {}
    return loaded


def settings(layer: Mapping[str, Any]) -> PackageSettings:
    """Loaded values as settings; an explicit null means the default again."""
    values = {key: value for key, value in layer.items() if value is not None}
    values.pop("dist_git_url", None)
    if values.get("paths") == ():
        del values["paths"]
    if "targets" in values:
        values["targets"], values["target_settings"] = values["targets"]
    if "dist_git_branches" in values:
        values["dist_git_branches"], values["fast_forward"] = values["dist_git_branches"]
    return PackageSettings(**values)


def texts_as_lists(layer: Layer) -> None:
    """Turn the one text that may stand for a list into one."""
    for key in _TEXT_FOR_LIST:
        if isinstance(layer.get(key), str):
            layer[key] = [layer[key]]


def job_config(
    by_key: Mapping[str, PackageSettings], *, type: JobType, trigger: JobTrigger, index: int, **own: Any
) -> JobConfig:
    """A job over the settings of its packages; those of the first are the job's own attributes."""
    first = next(iter(by_key.values()))
    return JobConfig(
        **vars(first), type=type, trigger=trigger, index=index, packages=tuple(by_key), settings=by_key, **own
    )
