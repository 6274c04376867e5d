"""The keys of today's package configuration and what each may hold. For `present` only.

One layer of a file (top level, a package, a job) is loaded at a time, so nothing here is required or has a default but
what makes a job a job: defaults are those of the shapes in `jobs`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from marshmallow import fields
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from packit_worker.config.jobs import JobTrigger, JobType
from packit_worker.config.nested_schema import (
    NotificationsSchema,
    OshOptionsSchema,
    RequireSchema,
    SourceSchema,
    SyncFileField,
    TestCommandSchema,
)
from packit_worker.config.package_fields import (
    Actions,
    Choice,
    Choices,
    Closed,
    Flag,
    Ignored,
    Inside,
    Many,
    Mapped,
    SourceId,
    Text,
    Texts,
    Whole,
    checked,
    choose,
    says,
)
from packit_worker.config.targets import DistGitBranches, Targets

ACTIONS = (
    "post-upstream-clone",
    "pre-sync",
    "create-patches",
    "prepare-files",
    "create-archive",
    "get-current-version",
    "fix-spec-file",
    "post-modifications",
    "changelog-entry",
    "commit-message",
    "run-condition",
)
TYPES = {
    kind.value: kind
    for kind in (
        JobType.COPR_BUILD,
        JobType.TESTS,
        JobType.PROPOSE_DOWNSTREAM,
        JobType.PULL_FROM_UPSTREAM,
        JobType.SYNC_FROM_DOWNSTREAM,
        JobType.UPSTREAM_KOJI_BUILD,
        JobType.KOJI_BUILD,
        JobType.KOJI_BUILD_TAG,
        JobType.BODHI_UPDATE,
        JobType.VM_IMAGE_BUILD,
    )
}
TRIGGERS = {trigger.value: trigger for trigger in JobTrigger}


def _is_specifier_set(value: str) -> bool:
    try:
        SpecifierSet(value)
    except InvalidSpecifier:
        return False
    return True


class MetadataSchema(Closed):
    """What a job's old `metadata` may hold; each is a key of the job itself today."""

    renamed = MappingProxyType(
        {
            "identifier": "identifier in the job itself, outside metadata",
            "labels": "labels in the job itself, outside metadata",
            "manual_trigger": "manual_trigger in the job itself, outside metadata",
        }
    )

    targets = Targets(allow_none=True)
    timeout = Whole()
    owner = Text(allow_none=True)
    project = Text(allow_none=True)
    dist_git_branches = DistGitBranches(allow_none=True)
    branch = Text(allow_none=True)
    scratch = Flag()
    list_on_homepage = Flag()
    preserve_project = Flag()
    use_internal_tf = Flag()
    additional_packages = Texts(allow_none=True)
    additional_repos = Texts(allow_none=True)
    bootstrap = Choice({word: word for word in ("default", "on", "off", "image")}, allow_none=True)
    fmf_url = Text(allow_none=True)
    fmf_ref = Text(allow_none=True)
    fmf_path = Text(allow_none=True)
    skip_build = Flag()
    skip_install = Flag()
    env = Mapped(text_keys=True, allow_none=True)
    enable_net = Flag()
    tmt_plan = Text(allow_none=True)
    tf_post_install_script = Text(allow_none=True)
    tf_extra_params = Mapped(allow_none=True)
    module_hotfixes = Flag()
    use_copr_dist_git_build = Flag()


class SettingsSchema(MetadataSchema):
    """What may be set at the top of a file, for a package and in a job."""

    class Meta(Closed.Meta):
        """The two keys of metadata that are not settings."""

        exclude = ("skip_build", "skip_install")  # of a job alone

    renamed = MappingProxyType(
        {
            "synced_files": "files_to_sync",
            "upstream_project_name": "upstream_package_name",
            "current_version_command": "actions with get-current-version",
            "create_tarball_command": "actions with create-archive",
            "dist-git-branch": "dist_git_branches",
            "dist_git_branch": "dist_git_branches",
            "dist-git-branches": "dist_git_branches",
        }
    )

    specfile_path = Text(allow_none=True)
    downstream_package_name = Text(allow_none=True)
    upstream_package_name = Text(
        allow_none=True,
        validate=checked(
            lambda name: "/" not in name and "\0" not in name, "is a name: it may not hold a slash"
        ),
    )
    upstream_project_url = Text(allow_none=True)
    upstream_ref = Text(allow_none=True)
    upstream_tag_template = Text()
    upstream_tag_include = Text()
    upstream_tag_exclude = Text()
    config_file_path = Text(allow_none=True)
    paths = Texts()
    identifier = Text(allow_none=True)
    archive_root_dir_template = Text()
    dist_git_url = Ignored()
    dist_git_base_url = Text(allow_none=True)
    dist_git_namespace = Text(allow_none=True)
    pkg_tool = Text(allow_none=True)
    sig = Text(allow_none=True)
    allowed_gpg_keys = Texts(allow_none=True)
    allowed_pr_authors = Texts(allow_none=True)
    allowed_committers = Texts(allow_none=True)
    allowed_builders = Texts(allow_none=True)
    spec_source_id = SourceId()
    files_to_sync = Many(SyncFileField())
    actions = Actions(ACTIONS)
    create_pr = Flag()
    sync_changelog = Flag()
    create_sync_note = Flag()
    patch_generation_ignore_paths = Texts(allow_none=True)
    patch_generation_patch_id_digits = Whole(
        validate=checked(lambda number: number >= 0, "may not be negative")
    )
    notifications = Inside(NotificationsSchema)
    require = Inside(RequireSchema)
    test_command = Inside(TestCommandSchema)
    osh_options = Inside(OshOptionsSchema)
    copy_upstream_release_description = Flag()
    sources = Many(fields.Nested(SourceSchema), allow_none=True)
    merge_pr_in_ci = Flag()
    srpm_build_deps = Texts(allow_none=True)
    packit_instances = Choices(("dev", "stg", "prod"))
    issue_repository = Text(allow_none=True)
    release_suffix = Text(allow_none=True)
    version_suffix = Text(allow_none=True)
    update_release = Flag()
    preserve_spec = Flag()
    prerelease_suffix_pattern = Text()
    prerelease_suffix_macro = Text(allow_none=True)
    upload_sources = Flag()
    version_update_mask = Text(allow_none=True)
    version_update_specifiers = Text(
        allow_none=True, validate=checked(_is_specifier_set, "has to be version specifiers, e.g. >=1.0,<2")
    )
    parse_time_macros = Mapped(allow_none=True)
    status_name_template = Text(allow_none=True)
    sync_test_job_statuses_with_builds = Flag()
    osh_diff_scan_after_copr_build = Flag()
    csmock_args = Text(allow_none=True)
    use_target_repo_for_fmf_url = Flag()
    clone_repos_before_run_condition = Flag()
    skip_missing_branched_composes = Flag()
    bodhi_extra_params = Mapped(allow_none=True)
    image_distribution = Text(allow_none=True)
    image_request = Mapped(allow_none=True)
    image_customizations = Mapped(allow_none=True)
    copr_chroot = Text(allow_none=True)


class Triggers(fields.Field[tuple[JobTrigger, ...]]):
    """One trigger, or several with bars between; loads as a tuple."""

    default_error_messages = says("has to be one word; for two triggers write e.g. commit | koji_build")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[JobTrigger, ...]:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        if "|" not in value:
            return (choose(value, TRIGGERS),)
        return tuple(choose(word.strip(), TRIGGERS) for word in value.split("|"))


class JobSchema(Closed):
    """What only a job has. Its other keys are SettingsSchema's; `packages` is read by hand, as it refers to others."""

    job = Choice(
        TYPES, required=True, error_messages={"required": "is missing: say what to run, e.g. copr_build"}
    )
    trigger = Triggers(
        required=True, error_messages={"required": "is missing: say when to run the job, e.g. pull_request"}
    )
    skip_build = Flag()
    skip_install = Flag()
    manual_trigger = Flag()
    labels = Texts()
    package = Text()
    sidetag_group = Text()
    dependents = Texts()
    dependencies = Texts()


# one of each for all files: making one costs more than loading a job
JOB, METADATA, SETTINGS = JobSchema(), MetadataSchema(), SettingsSchema()
SETTINGS.beside = (*JOB.fields, "jobs", "metadata", "packages")
JOB_KEYS, METADATA_KEYS, SETTING_KEYS = (
    frozenset(JOB.fields),
    frozenset(METADATA.fields),
    frozenset(SETTINGS.fields),
)
