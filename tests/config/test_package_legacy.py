"""Files of October 2020: what is read as it was then, under today's names."""

from __future__ import annotations

import pytest

from packit_worker.config.package import (
    Generation,
    JobTrigger,
    JobType,
    PackageConfig,
    PackageConfigError,
    load,
)

OLD = "specfile_path: my.spec\nsynced_files: [my.spec]\n"


def read(text: str, spec_files: list[str] | None = None) -> PackageConfig:
    return load(text, path=".packit.yaml", repo_name="demo", spec_files=spec_files)


def refused(text: str) -> PackageConfigError:
    with pytest.raises(PackageConfigError) as caught:
        read(text)
    assert "fault of ours" not in str(caught.value)
    return caught.value


def test_old_types_are_translated() -> None:
    config = read(
        "specfile_path: a\njobs:\n- {job: build, trigger: pull_request, metadata: {targets: [f, f]}}\n"
        "- {job: production_build, trigger: release, metadata: {scratch: true, branch: b}}\n"
    )
    assert config.generation is Generation.OLD
    build, koji = config.jobs
    assert (build.type, build.targets, build.index) == (JobType.COPR_BUILD, ("f",), 0)
    assert (koji.type, koji.trigger, koji.scratch, koji.branch) == (
        JobType.UPSTREAM_KOJI_BUILD,
        JobTrigger.RELEASE,
        True,
        "b",
    )


@pytest.mark.parametrize("name", [kind.value for kind in list(JobType)[10:]])
def test_internal_types_are_read(name: str) -> None:
    assert read(f"specfile_path: a\njobs: [{{job: {name}, trigger: release}}]").jobs[0].type == name


@pytest.mark.parametrize(
    ("value", "files"),
    [("[a, {src: b, dest: c}]", ["a", "b"]), ("{files_to_sync: [a]}", ["a"]), ("{files_to_sync: }", [])],
)
def test_synced_files(value: str, files: list[str]) -> None:
    config = read(f"specfile_path: a\nsynced_files: {value}\njobs: []\n")
    assert [name for item in config.settings.files_to_sync for name in item.src] == files


@pytest.mark.parametrize("value", ["[{src: [a], dest: b}]", "[{src: a}]", "{}", "", "[5]", "words"])
def test_synced_files_that_are_refused(value: str) -> None:
    assert refused(f"specfile_path: a\nsynced_files: {value}\njobs: []\n").dotted.startswith("synced_files")


def test_commands_become_actions() -> None:
    config = read("specfile_path: a\ncurrent_version_command: [git, describe]\n"
        "create_tarball_command: [make]\n"
                  "actions: {create-archive: own}\njobs: []\n")  # fmt: skip
    assert config.settings.actions == {"get-current-version": [["git", "describe"]], "create-archive": "own"}


def test_the_old_name_of_the_project_has_no_say() -> None:
    config = read("specfile_path: a\nupstream_project_name: old\njobs: []\n")
    assert config.upstream_package_name == "demo"
    config = read("specfile_path: a\nupstream_project_name: old\nupstream_package_name: new\njobs: []\n")
    assert config.upstream_package_name == "new"


@pytest.mark.parametrize(
    "key", ["targets: [f]", "branch: b", "owner: o", "scratch: true", "dist_git_branches: [f]"]
)
def test_settings_of_jobs_stand_under_metadata_alone(key: str) -> None:
    with pytest.raises(PackageConfigError):
        read(f"{OLD}jobs:\n- job: copr_build\n  trigger: commit\n  {key}\n")
    assert (
        read(f"{OLD}jobs: [{{job: copr_build, trigger: commit, metadata: {{{key}}}}}]").generation
        is Generation.OLD
    )


def test_old_names_of_branches() -> None:
    config = read(
        f"{OLD}jobs: [{{job: propose_downstream, trigger: release, metadata: {{dist-git-branch: x}}}}]"
    )
    assert config.jobs[0].dist_git_branches == ("x",)


def test_jobs_inherit_the_top_and_beat_it() -> None:
    config = read(
        f"{OLD}upstream_tag_template: v{{version}}\n"
        "jobs: [{job: build, trigger: commit}, {job: build, trigger: commit, specfile_path: b.spec}]"
    )
    assert [(job.specfile_path, job.upstream_tag_template) for job in config.jobs] == [
        ("my.spec", "v{version}"),
        ("b.spec", "v{version}"),
    ]


def test_default_jobs_had_no_build() -> None:
    config = read(OLD)
    assert [job.type for job in config.jobs] == [JobType.TESTS, JobType.PROPOSE_DOWNSTREAM]
    assert config.jobs[0].targets == ("fedora-stable",)


def test_a_spec_file_has_to_be_named_or_found() -> None:
    text = "synced_files: [a]\ndownstream_package_name: x\njobs: []\n"
    assert read(text, ["found.spec"]).specfile_path == "found.spec"
    assert refused(text).dotted == "specfile_path"


@pytest.mark.parametrize("key", ["follow_fedora_branching: true", "_: 1", "downstream_package_name: 5"])
def test_what_neither_form_knows(key: str) -> None:
    refused(f"{OLD}{key}\njobs: []\n")


def test_an_old_file_is_told_of_its_mistakes_in_its_own_terms() -> None:
    error = refused(f"{OLD}jobs:\n- job: build\n  trigger: commit\n- job: test\n  trigger: commit\n")
    assert [problem.dotted for problem in error.problems] == ["jobs[1].job"]
    assert (error.line, error.column, error.nearest) == (6, 3, "tests")


def test_a_mixed_file_is_told_of_its_mistakes_in_todays() -> None:
    error = refused(f"{OLD}jobs: [{{job: copr_build, trigger: commit, targets: [f]}}]")
    assert error.dotted == "synced_files"
    assert "files_to_sync" in error.message
