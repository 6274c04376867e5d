"""The shapes of a package configuration once read: packages, their settings, and jobs. Data only; built by the readers
of this folder, used by handlers, checks and reporting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any


class JobType(StrEnum):
    """What a job does. The second half are internal types which old files may name and nothing is run for."""

    COPR_BUILD = "copr_build"
    TESTS = "tests"
    PROPOSE_DOWNSTREAM = "propose_downstream"
    PULL_FROM_UPSTREAM = "pull_from_upstream"
    SYNC_FROM_DOWNSTREAM = "sync_from_downstream"
    UPSTREAM_KOJI_BUILD = "upstream_koji_build"
    # Of commits it is for those of dist-git; of pull requests and releases it is upstream_koji_build by another name.
    KOJI_BUILD = "koji_build"
    KOJI_BUILD_TAG = "koji_build_tag"
    BODHI_UPDATE = "bodhi_update"
    VM_IMAGE_BUILD = "vm_image_build"

    ADD_TO_WHITELIST = "add_to_whitelist"
    COPR_BUILD_FINISHED = "copr_build_finished"
    COPR_BUILD_STARTED = "copr_build_started"
    CREATE_BUGZILLA = "create_bugzilla"
    PULL_REQUEST_ACTION = "pull_request_action"
    REPORT_TEST_RESULTS = "report_test_results"


class JobTrigger(StrEnum):
    """What a job waits for. A job with IGNORE is never run."""

    PULL_REQUEST = "pull_request"
    COMMIT = "commit"
    RELEASE = "release"
    KOJI_BUILD = "koji_build"
    IGNORE = "ignore"


class Generation(StrEnum):
    """Which form a file is written in."""

    PRESENT = "present"
    OLD = "old"  # of October 2020: job settings under `metadata`


@dataclass(frozen=True, kw_only=True)
class SyncFile:
    """Files to copy to dist-git: ``src`` paths of the upstream repository, ``dest`` in dist-git."""

    src: tuple[str, ...]
    dest: str
    mkpath: bool = False
    delete: bool = False
    filters: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where to take a source from instead of where the spec file says."""

    path: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Notifications:
    """Whether to comment after a good build, what to comment after a failure, whether to open issues for failures."""

    successful_build: bool = False
    failure_message: str | None = None
    failure_issue: bool = True


@dataclass(frozen=True, kw_only=True)
class Requirements:
    """Labels a pull request needs (any one of ``labels_present``) and may not have (``labels_absent``)."""

    labels_present: tuple[str, ...] = ()
    labels_absent: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TestCommand:
    """What a bare test command stands for."""

    __test__ = False  # the name is not a test's

    default_labels: tuple[str, ...] = ()
    default_identifier: str | None = None


@dataclass(frozen=True, kw_only=True)
class OshOptions:
    """Options of the static analysis of a build."""

    analyzer: str | None = None
    config: str | None = None
    profile: str | None = None


@dataclass(frozen=True, kw_only=True)
class PackageSettings:
    """Everything that may be set for a package, at the top of the file or in a job.

    ``targets`` holds chroots and aliases as written, in order and without repeats; ``target_settings`` what the file
    says of single ones. Both are empty when the file names none: what that means is the service's to say. ``branch``
    is then None, else a regular expression for the start of the branch's name. ``fast_forward`` maps a dist-git branch
    to those it is merged into.
    """

    specfile_path: str | None = None
    upstream_package_name: str | None = None
    downstream_package_name: str | None = None
    upstream_project_url: str | None = None
    upstream_tag_template: str = "{version}"
    upstream_ref: str | None = None
    upstream_tag_include: str | None = None
    upstream_tag_exclude: str | None = None
    config_file_path: str | None = None
    paths: tuple[str, ...] = ("./",)
    # what is built, and how
    targets: tuple[str, ...] = ()
    target_settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    branch: str | None = None
    identifier: str | None = None
    owner: str | None = None
    project: str | None = None
    scratch: bool = False
    timeout: int = 7200
    list_on_homepage: bool = False
    preserve_project: bool = False
    additional_packages: tuple[str, ...] = ()
    additional_repos: tuple[str, ...] = ()
    bootstrap: str | None = None
    enable_net: bool = False
    module_hotfixes: bool = False
    srpm_build_deps: tuple[str, ...] | None = None
    use_copr_dist_git_build: bool = False
    osh_diff_scan_after_copr_build: bool = True
    osh_options: OshOptions = OshOptions()
    csmock_args: str | None = None
    # what is tested, and how
    tmt_plan: str | None = None
    fmf_url: str | None = None
    fmf_ref: str | None = None
    fmf_path: str | None = None
    use_target_repo_for_fmf_url: bool = False
    use_internal_tf: bool = False
    env: Mapping[str, Any] = field(default_factory=dict)
    tf_extra_params: Mapping[str, Any] = field(default_factory=dict)
    tf_post_install_script: str | None = None
    test_command: TestCommand = TestCommand()
    skip_missing_branched_composes: bool = False
    # the source package
    actions: Mapping[str, Any] = field(default_factory=dict)
    archive_root_dir_template: str = "{upstream_pkg_name}-{version}"
    spec_source_id: str = "Source0"
    sources: tuple[Source, ...] = ()
    merge_pr_in_ci: bool = True
    release_suffix: str | None = None
    version_suffix: str | None = None
    update_release: bool = True
    preserve_spec: bool = False
    parse_time_macros: Mapping[str, Any] = field(default_factory=dict)
    prerelease_suffix_pattern: str | None = None
    prerelease_suffix_macro: str | None = None
    patch_generation_ignore_paths: tuple[str, ...] = ()
    patch_generation_patch_id_digits: int = 4
    clone_repos_before_run_condition: bool = False
    # downstream
    dist_git_branches: tuple[str, ...] = ()
    fast_forward: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dist_git_base_url: str | None = None
    dist_git_namespace: str | None = None
    pkg_tool: str | None = None
    sig: str | None = None
    files_to_sync: tuple[SyncFile, ...] = ()
    create_pr: bool = True
    create_sync_note: bool = True
    sync_changelog: bool = False
    copy_upstream_release_description: bool = False
    upload_sources: bool = True
    version_update_mask: str | None = None
    version_update_specifiers: str | None = None
    allowed_gpg_keys: tuple[str, ...] = ()
    allowed_pr_authors: tuple[str, ...] = ("packit",)
    allowed_committers: tuple[str, ...] = ()
    allowed_builders: tuple[str, ...] = ("packit",)
    issue_repository: str | None = None
    bodhi_extra_params: Mapping[str, Any] = field(default_factory=dict)
    image_distribution: str | None = None
    image_request: Mapping[str, Any] = field(default_factory=dict)
    image_customizations: Mapping[str, Any] = field(default_factory=dict)
    copr_chroot: str | None = None
    # who is told, and when
    packit_instances: tuple[str, ...] = ()  # whatever it is called, where the file names none
    notifications: Notifications = Notifications()
    require: Requirements = Requirements()
    status_name_template: str | None = None
    sync_test_job_statuses_with_builds: bool = True


@dataclass(frozen=True, kw_only=True)
class JobConfig(PackageSettings):
    """One job of the file. Its settings are those of its first package; ``for_package`` gives those of another.

    ``packages`` are keys of PackageConfig.packages. ``index`` is the job's place among the file's jobs, where one with
    `trigger: a | b` counts as two: what `packit --job-config-index` takes. In a job that is the view of one package of
    a monorepo, ``identifier`` reads as the package's key where the file sets none.
    """

    type: JobType
    trigger: JobTrigger
    index: int
    packages: tuple[str, ...]
    settings: Mapping[str, PackageSettings] = field(repr=False)
    skip_build: bool = False
    skip_install: bool = False
    manual_trigger: bool = False
    labels: tuple[str, ...] = ()
    sidetag_group: str | None = None
    dependents: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()

    def for_package(self, key: str) -> JobConfig:
        """This job for one of its packages alone. Raises KeyError for a package it does not cover."""
        chosen = self.settings[key]
        values = {item.name: getattr(chosen, item.name) for item in fields(PackageSettings)}
        if values["identifier"] is None:
            values["identifier"] = key
        return replace(self, **values, packages=(key,), settings={key: chosen})


@dataclass(frozen=True, kw_only=True)
class PackageConfig:
    """A package configuration that has been read: the packages by key and the jobs in the order of the file.

    A file for one package is keyed by its downstream name. The names below are of the first, mostly the only, package.
    """

    path: str
    packages: Mapping[str, PackageSettings]
    jobs: tuple[JobConfig, ...]
    generation: Generation = Generation.PRESENT

    @property
    def is_monorepo(self) -> bool:
        """Whether the file names two packages or more."""
        return len(self.packages) > 1

    @property
    def settings(self) -> PackageSettings:
        """The settings of the first package, without any job's."""
        return next(iter(self.packages.values()))

    @property
    def specfile_path(self) -> str | None:
        """Path of the first package's spec file; None only where no job needs one."""
        return self.settings.specfile_path

    @property
    def upstream_package_name(self) -> str | None:
        """Name of the first package upstream."""
        return self.settings.upstream_package_name

    @property
    def downstream_package_name(self) -> str | None:
        """Name of the first package in dist-git."""
        return self.settings.downstream_package_name

    @property
    def upstream_tag_template(self) -> str:
        """How the first package's tags are made from versions, e.g. `v{version}`."""
        return self.settings.upstream_tag_template

    def views(self) -> Iterator[JobConfig]:
        """The jobs as they are run: in a monorepo once for each of their packages."""
        for job in self.jobs:
            if self.is_monorepo:
                yield from (job.for_package(key) for key in job.packages)
            else:
                yield job
