"""Reading a package configuration of today: layers laid over one another. For `package` only.

Weakest first: top level, `packages.<key>`, the job, the job's own `packages.<key>`. Each layer is checked once, where
it stands in the file, and only then laid over the weaker ones; so the work grows with the file and not with what jobs
and packages multiply to.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from packit_worker.config.jobs import Generation, JobConfig, JobType, PackageConfig
from packit_worker.config.layers import Layer, Names, job_config, load_layer, settings, texts_as_lists
from packit_worker.config.loading import PLACEHOLDER, Path
from packit_worker.config.package_fields import EMPTY
from packit_worker.config.package_schema import JOB, JOB_KEYS, METADATA, METADATA_KEYS, SETTINGS
from packit_worker.config.problems import Hint, Problems, shown

MAX_VIEWS = 5_000  # jobs, each counted once for every trigger and package

_PKG_TOOLS = ("fedpkg", "fedpkg-stage", "centpkg", "centpkg-sig")
_DEFAULT_JOBS = (
    {"job": "copr_build", "trigger": "pull_request", "targets": ["fedora-stable"]},
    {"job": "tests", "trigger": "pull_request", "targets": ["fedora-stable"]},
    {"job": "propose_downstream", "trigger": "release", "dist_git_branches": ["fedora-all"]},
)


@dataclass(frozen=True)
class _Draft:
    """A job whose layers are checked, before its settings are built."""

    place: Path
    own: Mapping[str, Any]
    merged: Mapping[str, Layer]


def read(raw: object, names: Names, problems: Problems) -> PackageConfig | None:
    """The configuration in a file's plain data, or None with the reasons in ``problems``."""
    if not raw:
        raw = {}  # an empty file, and even `false`, asks for the default jobs
    if not isinstance(raw, Mapping):
        problems.add((), "the file has to be a mapping of keys to values, e.g. specfile_path: my.spec")
        return None
    root = {key: value for key, value in raw.items() if key != PLACEHOLDER}
    packages = _packages(root, names, problems)
    if packages is None:
        return None
    drafts = _jobs(root.get("jobs", _DEFAULT_JOBS), packages, problems)
    for key, layer in packages.items():
        _check_tools(layer, ("packages", key) if "packages" in root else (), problems)
    if problems:
        return None
    return PackageConfig(
        path=names.path,
        packages={key: settings(layer) for key, layer in packages.items()},
        jobs=tuple(_build(drafts)),
        generation=Generation.PRESENT,
    )


def _packages(root: Mapping[Any, Any], names: Names, problems: Problems) -> dict[str, Layer] | None:
    """Every package's values with the top level beneath them, by key."""
    top = {key: value for key, value in root.items() if key not in ("jobs", "packages")}
    top.setdefault("config_file_path", names.path)
    if "packages" in root:
        return _several(root["packages"], top, names, problems)
    _fill_names(top, names)
    key = top["downstream_package_name"]
    if key is None:
        problems.add(("downstream_package_name",), EMPTY)
    return {str(key): load_layer(SETTINGS, top, (), problems)}


def _several(packages: object, top: Layer, names: Names, problems: Problems) -> dict[str, Layer] | None:
    if not isinstance(packages, Mapping) or not packages:
        problems.add(
            ("packages",), "has to be a mapping of package names to their settings, with one package or more"
        )
        return None
    layers: dict[Any, Layer] = {}
    for key, value in packages.items():
        if not isinstance(key, str):
            problems.add(("packages", key), "the name of a package has to be text: put it in quotes")
            continue
        if not isinstance(value, Mapping):
            problems.add(("packages", key), "has to be a mapping of the package's settings")
            continue
        layer = dict(value)
        if "upstream_project_url" in top:
            layer.pop("upstream_project_url", None)  # the top level's counts for all
        _fill_names(layer, names)
        layers[key] = layer
    # a value of the top level that every package replaces is not looked at
    effective = {
        key: value for key, value in top.items() if any(key not in layer for layer in layers.values())
    }
    beneath = load_layer(SETTINGS, effective, (), problems)
    return {
        key: beneath | load_layer(SETTINGS, layer, ("packages", key), problems)
        for key, layer in layers.items()
    }


def _fill_names(layer: Layer, names: Names) -> None:
    """Put in the names that follow from others: the spec file's before the package's own default can decide it."""
    if not layer.get("specfile_path"):
        name = layer.get("downstream_package_name")
        found = names.spec_files[0] if names.spec_files else None
        layer["specfile_path"] = f"{name}.spec" if name else found
    layer.setdefault("upstream_package_name", names.repo_name)
    layer.setdefault("downstream_package_name", names.repo_name)


def _home(key: str, packages: Mapping[str, Layer]) -> Path:
    """Where a package's own keys are written."""
    return ("packages", key) if len(packages) > 1 else ()


def _jobs(jobs: object, packages: Mapping[str, Layer], problems: Problems) -> list[_Draft]:
    if not isinstance(jobs, list | tuple):
        problems.add(("jobs",), "has to be a list of jobs; write [] for none")
        return []
    drafts: list[_Draft] = []
    seen: dict[int, int] = {}
    views = 0
    for number, job in enumerate(jobs):
        place: Path = ("jobs", number)
        if not isinstance(job, Mapping):
            problems.add(place, "has to be a mapping with the keys job and trigger")
            continue
        first = seen.setdefault(id(job), number)
        if first != number:
            problems.add(place, f"is an alias of jobs[{first}]: write it out, or use a merge key (<<)")
            continue
        draft = _job(job, place, packages, problems)
        views += len(draft.merged) * max(1, len(draft.own.get("trigger", ())))
        if views > MAX_VIEWS:
            problems.add(place, f"the file makes more than {MAX_VIEWS} jobs; remove some")
            break
        drafts.append(draft)
    return drafts


def _job(job: Mapping[Any, Any], place: Path, packages: Mapping[str, Layer], problems: Problems) -> _Draft:
    values = dict(job)
    places = _unfold_metadata(values, place, problems)
    # a null in a key that only jobs have is no value at all, elsewhere it replaces what is beneath
    own_raw = {key: values.pop(key) for key in JOB_KEYS & values.keys()}
    own = load_layer(JOB, {k: v for k, v in own_raw.items() if v is not None}, place, problems, places)
    selected = values.pop("packages", None)
    chosen, overrides = _select(selected, (*place, "packages"), packages, problems)
    texts_as_lists(values)
    if overrides:
        values = {
            key: value for key, value in values.items() if any(key not in over for over in overrides.values())
        }
    over_job = load_layer(SETTINGS, values, place, problems, places)
    merged = {}
    for key in chosen:
        layer = packages[key] | over_job
        if key in overrides:
            raw = dict(overrides[key])
            texts_as_lists(raw)
            layer |= load_layer(SETTINGS, raw, (*place, "packages", key), problems)
        merged[key] = layer
        if any(layer.get(tool) != packages[key].get(tool) for tool in ("dist_git_base_url", "pkg_tool")):
            _check_tools(layer, place, problems)
        known_beneath = packages[key].get("specfile_path")
        _check_spec(own, key, layer, place if known_beneath else _home(key, packages), problems)
    if own.get("package"):
        if own["package"] not in merged:
            problems.add((*place, "package"), _no_package(own["package"], merged))
        merged = {key: layer for key, layer in merged.items() if key == own["package"]}
    return _Draft(place, own, merged)


def _unfold_metadata(values: Layer, place: Path, problems: Problems) -> dict[Hashable, Path]:
    """Move what stands under `metadata` into the job; returns where those keys are written."""
    metadata = values.pop("metadata", None)
    if not metadata:
        return {}
    inside = (*place, "metadata")
    if not isinstance(metadata, Mapping):
        problems.add(inside, "has to be a mapping of keys to values")
        return {}
    moved = dict(metadata)
    places: dict[Hashable, Path] = {key: (*inside, key) for key in moved}
    for old in ("dist-git-branch", "dist_git_branch"):
        if old in moved:
            moved["dist_git_branches"] = moved.pop(old)
            places["dist_git_branches"] = (*inside, old)
    texts_as_lists(moved)
    load_layer(METADATA, moved, inside, problems, places)
    for key in values.keys() & (METADATA_KEYS - {"targets"}):
        problems.add(
            (*place, key), "stands beside metadata: move all keys out of metadata, into the job itself"
        )
    # keys that are wrong have been named; they are not looked at again as keys of the job
    values.update({key: value for key, value in moved.items() if key in METADATA_KEYS})
    return places


def _select(
    selected: object, place: Path, packages: Mapping[str, Layer], problems: Problems
) -> tuple[list[str], Mapping[str, Mapping[Any, Any]]]:
    """The packages a job covers, and what it sets for single ones."""
    if not selected:
        return list(packages), {}
    if not isinstance(selected, list | Mapping):
        problems.add(place, "has to be a list of package names")
        return [], {}
    wrong = False
    for index, name in enumerate(selected):
        if isinstance(name, str) and name in packages:
            continue
        wrong = True
        spot = (*place, name if isinstance(selected, Mapping) else index)
        problems.add(spot, _no_package(name, packages))
    if wrong:
        return [], {}
    if isinstance(selected, list):
        return [key for key in packages if key in selected], {}
    for name, value in selected.items():
        if not isinstance(value, Mapping):
            problems.add((*place, name), "has to be a mapping of the package's settings in this job")
            wrong = True
    return ([], {}) if wrong else (list(selected), selected)


def _no_package(name: object, packages: Mapping[str, Any]) -> Hint:
    return Hint(f"there is no package {shown(name)}", name, packages, "use names from the top-level packages")


def _check_spec(own: Mapping[str, Any], key: str, layer: Layer, place: Path, problems: Problems) -> None:
    if layer.get("specfile_path") or (own.get("job") is JobType.TESTS and own.get("skip_build")):
        return
    problems.add(
        (*place, "specfile_path"), f"no spec file is known for the package {shown(key)}: set specfile_path"
    )


def _check_tools(layer: Layer, place: Path, problems: Problems) -> None:
    url, tool = layer.get("dist_git_base_url"), layer.get("pkg_tool")
    if url is None and tool and tool not in _PKG_TOOLS:
        hint = Hint(f"{shown(tool)!r} is not known", tool, _PKG_TOOLS, f"use one of {', '.join(_PKG_TOOLS)}")
        problems.add((*place, "pkg_tool"), hint)
    if url is not None:
        try:
            urlsplit(url)
        except ValueError:
            problems.add(
                (*place, "dist_git_base_url"), "has to be a URL, e.g. https://src.fedoraproject.org/"
            )


def _build(drafts: Iterable[_Draft]) -> Iterator[JobConfig]:
    index = 0
    for draft in drafts:
        by_key = {key: settings(layer) for key, layer in draft.merged.items()}
        own = {key: value for key, value in draft.own.items() if key not in ("job", "trigger", "package")}
        for trigger in draft.own["trigger"]:
            job = job_config(by_key, type=draft.own["job"], trigger=trigger, index=index, **own)
            index += 1
            yield job.for_package(draft.own["package"]) if draft.own.get("package") else job
