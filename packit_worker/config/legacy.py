"""Reading a package configuration of October 2020, which many repositories still have. For `package` only.

Then a job's settings stood under `metadata` alone, every key of the top level was inherited by every job, and some keys
and job types had other names. What is read here has the same shapes as today's files.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from marshmallow import ValidationError, fields

from packit_worker.config.jobs import Generation, JobConfig, JobTrigger, JobType, PackageConfig, SyncFile
from packit_worker.config.layers import Layer, Names, job_config, load_layer, settings, texts_as_lists
from packit_worker.config.loading import Path
from packit_worker.config.nested_schema import NotificationsSchema, PullRequestSchema
from packit_worker.config.package_fields import (
    Actions,
    Choice,
    Closed,
    Flag,
    Ignored,
    Inside,
    Many,
    SourceId,
    Text,
    Texts,
    Whole,
    says,
)
from packit_worker.config.package_schema import ACTIONS, JOB_KEYS, SETTING_KEYS
from packit_worker.config.problems import Problems

_TYPES = {
    "build": JobType.COPR_BUILD,
    "production_build": JobType.UPSTREAM_KOJI_BUILD,
} | {
    kind.value: kind
    for kind in (
        JobType.COPR_BUILD,
        JobType.TESTS,
        JobType.PROPOSE_DOWNSTREAM,
        JobType.SYNC_FROM_DOWNSTREAM,
        JobType.ADD_TO_WHITELIST,
        JobType.COPR_BUILD_FINISHED,
        JobType.COPR_BUILD_STARTED,
        JobType.CREATE_BUGZILLA,
        JobType.PULL_REQUEST_ACTION,
        JobType.REPORT_TEST_RESULTS,
    )
}
_TRIGGERS = {kind.value: kind for kind in (JobTrigger.PULL_REQUEST, JobTrigger.COMMIT, JobTrigger.RELEASE)}
_ACTIONS = ACTIONS[:7]  # the later ones came after 2020
_COMMANDS = {"current_version_command": "get-current-version", "create_tarball_command": "create-archive"}
_DEFAULT_JOBS = (
    {"job": "tests", "trigger": "pull_request", "metadata": {"targets": ["fedora-stable"]}},
    {"job": "propose_downstream", "trigger": "release", "metadata": {"dist_git_branches": ["fedora-all"]}},
)


class OldNotificationsSchema(Closed):
    """`notifications` before comments on failures."""

    pull_request = Inside(PullRequestSchema, required=True, error_messages={"required": "is missing"})
    make = NotificationsSchema.make


class OldSyncFileField(fields.Field[SyncFile]):
    """A path, or a mapping with one source and one destination; what else is in it was never looked at."""

    default_error_messages = says("has to be a path or a mapping of src and dest")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> SyncFile:
        if isinstance(value, str):
            return SyncFile(src=(value,), dest=value)
        if not isinstance(value, Mapping):
            raise self.make_error("invalid")
        src, dest = value.get("src"), value.get("dest")
        if not isinstance(src, str) or not isinstance(dest, str):
            raise ValidationError("has to have one text for src and one for dest")
        return SyncFile(src=(src,), dest=dest)


class OldSyncSchema(Closed):
    """`synced_files` written as a mapping."""

    files_to_sync = Many(
        OldSyncFileField(),
        required=True,
        allow_none=True,
        error_messages={"required": "is missing: list the files"},
    )


class OldSyncField(fields.Field[tuple[SyncFile, ...]]):
    """`synced_files`: a list, or a mapping with the list under `files_to_sync`."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[SyncFile, ...]:
        if isinstance(value, list):
            value = {"files_to_sync": value}
        loaded: Mapping[str, Any] = OldSyncSchema().load(value)
        return loaded.get("files_to_sync") or ()


class OldMetadataSchema(Closed):
    """What `metadata` could hold."""

    targets = Texts()
    timeout = Whole()
    owner = Text()
    project = Text()
    dist_git_branches = Texts()
    branch = Text()
    scratch = Flag()
    list_on_homepage = Flag()
    preserve_project = Flag()
    additional_packages = Texts()
    additional_repos = Texts()


class OldSettingsSchema(Closed):
    """What could be set at the top of a file and in a job."""

    config_file_path = Text()
    specfile_path = Text()
    downstream_package_name = Text()
    upstream_project_url = Text(allow_none=True)
    upstream_package_name = Text()
    upstream_ref = Text()
    upstream_tag_template = Text()
    dist_git_url = Ignored()
    dist_git_base_url = Text()
    dist_git_namespace = Text()
    create_tarball_command = Texts()
    current_version_command = Texts()
    allowed_gpg_keys = Texts()
    spec_source_id = SourceId()
    synced_files = OldSyncField()
    actions = Actions(_ACTIONS)
    create_pr = Flag()
    patch_generation_ignore_paths = Texts()
    notifications = Inside(OldNotificationsSchema)


class OldJobSchema(OldSettingsSchema):
    """A job: `metadata` is loaded apart."""

    job = Choice(
        _TYPES, required=True, error_messages={"required": "is missing: say what to run, e.g. copr_build"}
    )
    trigger = Choice(
        _TRIGGERS,
        required=True,
        error_messages={"required": "is missing: say when to run the job, e.g. pull_request"},
    )


_SETTINGS, _JOB, _METADATA = OldSettingsSchema(), OldJobSchema(), OldMetadataSchema()
_OLD_KEYS = frozenset(_JOB.fields) | {"metadata", "jobs"}
_GONE = frozenset({"synced_files", "upstream_project_name"}) | _COMMANDS.keys()


def is_old_style(raw: object) -> bool:
    """Whether a file uses names of 2020 and none that came later: its errors are then told in its own terms."""
    if not isinstance(raw, Mapping):
        return False
    jobs = raw.get("jobs")
    jobs = [job for job in jobs if isinstance(job, Mapping)] if isinstance(jobs, list) else []
    keys = {key for layer in (raw, *jobs) for key in layer}
    old_type = any(job.get("job") in ("build", "production_build") for job in jobs)
    later = keys & ((SETTING_KEYS | JOB_KEYS | {"packages", "_"}) - _OLD_KEYS)
    return not later and (old_type or bool(keys & _GONE))


def read(raw: object, names: Names, problems: Problems) -> PackageConfig | None:
    """The configuration in a file's plain data, or None with the reasons in ``problems``."""
    if not isinstance(raw, Mapping):
        problems.add((), "the file has to be a mapping of keys to values, e.g. specfile_path: my.spec")
        return None
    top = dict(raw)
    jobs = top.pop("jobs", _DEFAULT_JOBS)
    if not top.get("config_file_path"):
        top["config_file_path"] = names.path
    if not top.get("specfile_path"):
        if not names.spec_files:
            problems.add(("specfile_path",), "no spec file is known: set specfile_path")
            return None
        top["specfile_path"] = names.spec_files[0]
    # the default comes first here, so that the old name of this key never has its say
    for key in ("upstream_package_name", "downstream_package_name"):
        if not top.get(key):
            top[key] = names.repo_name
    if top.get("upstream_project_name"):
        del top["upstream_project_name"]
    beneath = load_layer(_SETTINGS, top, (), problems)
    if not isinstance(jobs, list | tuple):
        problems.add(("jobs",), "has to be a list of jobs; write [] for none")
        return None
    read_jobs = [_job(job, index, beneath, problems) for index, job in enumerate(jobs)]
    if problems:
        return None
    return PackageConfig(
        path=names.path,
        packages={beneath["downstream_package_name"]: settings(_renamed(beneath))},
        jobs=tuple(job for job in read_jobs if job is not None),
        generation=Generation.OLD,
    )


def _job(job: object, index: int, beneath: Layer, problems: Problems) -> JobConfig | None:
    place: Path = ("jobs", index)
    if not isinstance(job, Mapping):
        problems.add(place, "has to be a mapping with the keys job and trigger")
        return None
    values = dict(job)
    metadata = _metadata(values, (*place, "metadata"), problems)
    layer = beneath | load_layer(_JOB, values, place, problems)
    if problems:
        return None
    kind, trigger = layer.pop("job"), layer.pop("trigger")
    key = beneath["downstream_package_name"]
    return job_config({key: settings(_renamed(layer) | metadata)}, type=kind, trigger=trigger, index=index)


def _metadata(values: Layer, place: Path, problems: Problems) -> Layer:
    if "metadata" not in values:
        return {}
    metadata = values.pop("metadata")
    if not isinstance(metadata, Mapping):
        problems.add(place, "has to be a mapping of keys to values")
        return {}
    moved = dict(metadata)
    places: dict[Hashable, Path] = {}
    for old in ("dist-git-branch", "dist_git_branch"):
        if old in moved:
            moved["dist_git_branches"] = moved.pop(old)
            places["dist_git_branches"] = (*place, old)
    texts_as_lists(moved)
    loaded = load_layer(_METADATA, moved, place, problems, places)
    for key in ("targets", "dist_git_branches"):
        if key in loaded:
            loaded[key] = tuple(dict.fromkeys(loaded[key])), {}
    return loaded


def _renamed(layer: Layer) -> Layer:
    """The same settings under today's names."""
    today = {key: value for key, value in layer.items() if key not in _COMMANDS}
    if "synced_files" in today:
        today["files_to_sync"] = today.pop("synced_files")
    actions = dict(today.get("actions") or {})
    for key, action in _COMMANDS.items():
        if layer.get(key):
            actions.setdefault(action, [list(layer[key])])  # one command, given as its words
    return today | {"actions": actions}
