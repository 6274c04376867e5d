"""Today's form of the file: strictness, kinds of values, types and triggers, metadata, inheritance, defaults."""

from __future__ import annotations

from typing import Any

import pytest

from packit_worker.config.package import (
    JobConfig,
    JobTrigger,
    JobType,
    PackageConfig,
    PackageConfigError,
    load,
)


def read(text: str, spec_files: list[str] | None = None) -> PackageConfig:
    return load(text, path=".packit.yaml", repo_name="demo", spec_files=spec_files)


def job(line: str, top: str = "") -> JobConfig:
    """The only job of a file with ``line`` in a tests job."""
    return read(
        f"specfile_path: my.spec\n{top}\njobs:\n- job: tests\n  trigger: pull_request\n  {line}\n"
    ).jobs[0]


def top(line: str) -> PackageConfig:
    return read(f"specfile_path: my.spec\njobs: []\n{line}\n")


def refused(text: str, spec_files: list[str] | None = None) -> PackageConfigError:
    with pytest.raises(PackageConfigError) as caught:
        read(text, spec_files)
    assert "fault of ours" not in str(caught.value)
    return caught.value


def job_refused(line: str) -> PackageConfigError:
    # srpm_build_deps: so that the file is not read as one of 2020
    return refused(
        f"specfile_path: my.spec\njobs:\n- job: tests\n  trigger: pull_request\n  {line}\nsrpm_build_deps: []\n"
    )


def top_refused(line: str) -> PackageConfigError:
    return refused(f"specfile_path: my.spec\njobs: []\n{line}\n")


# -- kinds of values --


@pytest.mark.parametrize(
    "line",
    [
        "branch: 1.10",
        "branch: on",
        "identifier: 8",
        "bootstrap: on",
        "bootstrap: always",
        "scratch: maybe",
        "timeout: soon",
        "timeout: true",
        "labels: single",
        "srpm_build_deps: gcc",
        "packit_instances: stg",
        "packit_instances: [production]",
        "targets: [41]",
        "targets: [{fedora-all: {}}]",
        "targets: {fedora-all: }",
        "targets: {fedora-all: {distros: centos-7}}",
        "targets: {epel-8: {additional_modules: [ruby]}}",
        "targets: {epel-8: {colour: red}}",
        "dist_git_branches: {rawhide: }",
        "dist_git_branches: {rawhide: {into: [f41]}}",
        "env: {1: a}",
        "env: [a]",
        "actions: {presync: make}",
        "actions: ",
        "scratch: ",
        "notifications: ",
        "notifications: {pull_request: {sucessful_build: true}}",
        "upstream_tag_template: ",
        "files_to_sync: ",
        "files_to_sync: [{src: a}]",
        "files_to_sync: [{src: a, dest: b, colour: red}]",
        "sources: [{path: a}]",
        "require: {label: {present: bug}}",
        "upstream_package_name: a/b",
        "version_update_specifiers: abc",
        "patch_generation_patch_id_digits: -1",
        "pkg_tool: dnf",
        "dist_git_base_url: 'http://['",
        "spec_source_id: [1]",
        "spec_source_id: .inf",
        "packages: demo",
        "package: other",
        "packages: [[a]]",
        "metadata: words",
    ],
)
def test_values_of_the_wrong_kind(line: str) -> None:
    error = job_refused(line)
    assert error.dotted.startswith("jobs[0].")
    assert error.line == 5


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("branch: '1.10'", "branch", "1.10"),
        ("scratch: 'yes'", "scratch", True),
        ("scratch: 'off'", "scratch", False),
        ("scratch: 1", "scratch", True),
        ("preserve_project: 'True'", "preserve_project", True),
        ("timeout: '100'", "timeout", 100),
        ("bootstrap: 'on'", "bootstrap", "on"),
        ("spec_source_id: 5", "spec_source_id", "Source5"),
        ("spec_source_id: '7'", "spec_source_id", "Source7"),
        ("spec_source_id: Patch1", "spec_source_id", "Patch1"),
        ("env: {A: b, C: 1}", "env", {"A": "b", "C": 1}),
        ("tf_extra_params: {1: {x: [y]}}", "tf_extra_params", {1: {"x": ["y"]}}),
        ("labels: [a, b]", "labels", ("a", "b")),
        ("additional_repos: [copr://a/b]", "additional_repos", ("copr://a/b",)),
        ("packit_instances: [prod, stg]", "packit_instances", ("prod", "stg")),
        ("version_update_specifiers: '>=1.0,<2'", "version_update_specifiers", ">=1.0,<2"),
        ("osh_options: {analyzer: gcc}", "osh_options.analyzer", "gcc"),
        ("test_command: {default_labels: [a]}", "test_command.default_labels", ("a",)),
        ("require: {label: {present: [a], absent: [b]}}", "require.labels_present", ("a",)),
        ("notifications: {failure_comment: {message: oh}}", "notifications.failure_message", "oh"),
        ("notifications: {pull_request: {successful_build: true}}", "notifications.successful_build", True),
        ("notifications: {failure_issue: {create: false}}", "notifications.failure_issue", False),
        ("parse_time_macros: {cargo_prep: null}", "parse_time_macros", {"cargo_prep": None}),
        ("sidetag_group: g", "sidetag_group", "g"),
        ("paths: []", "paths", ("./",)),
        ("allowed_pr_authors: ", "allowed_pr_authors", ("packit",)),
    ],
)  # fmt: skip
def test_values_as_read(line: str, name: str, value: Any) -> None:
    found: Any = job(line)
    for part in name.split("."):
        found = getattr(found, part)
    assert found == value


def test_files_to_sync() -> None:
    files = top(
        "files_to_sync: [a, {src: [b, c], dest: d/, mkpath: true}, {src: e, dest: f, filters: [x]}]"
    ).settings
    assert [(item.src, item.dest, item.mkpath, item.filters) for item in files.files_to_sync] == [
        (("a",), "a", False, ()),
        (("b", "c"), "d/", True, ()),
        (("e",), "f", False, ("x",)),
    ]


def test_names_of_actions_are_checked_and_commands_are_not() -> None:
    assert job("actions: {create-archive: [[make, dist]], pre-sync: 5}").actions["pre-sync"] == 5
    assert job_refused("actions: {create_archiv: make}").nearest == "create-archive"


def test_a_jobs_actions_replace_those_of_the_top() -> None:
    assert job("actions: {pre-sync: b}", top="actions: {create-archive: a}").actions == {"pre-sync": "b"}


# -- targets and branches --


def test_targets_keep_their_order_without_repeats() -> None:
    assert job("targets: [fedora-all, centos-stream-9-aarch64, fedora-all, Strange..]").targets == (
        "fedora-all",
        "centos-stream-9-aarch64",
        "Strange..",
    )


def test_one_text_for_a_list_in_a_job_only() -> None:
    assert job("targets: fedora-all").targets == ("fedora-all",)
    assert job("dist_git_branches: rawhide").dist_git_branches == ("rawhide",)
    assert job("metadata: {targets: fedora-all}").targets == ("fedora-all",)
    assert top_refused("targets: fedora-all").dotted == "targets"
    assert top_refused("dist_git_branches: rawhide").dotted == "dist_git_branches"
    assert refused("packages: {a: {specfile_path: a, targets: f}}\njobs: []").dotted == "packages.a.targets"


def test_a_mapping_of_targets_keeps_its_settings() -> None:
    found = job("targets: {epel-7: {distros: [centos-7]}, fedora-all: {}, epel-8: {with_opts: [x]}}")
    assert found.targets == ("epel-7", "fedora-all", "epel-8")
    assert found.target_settings == {"epel-7": {"distros": ["centos-7"]}, "epel-8": {"with_opts": ["x"]}}


def test_only_the_first_setting_of_a_target_is_looked_at() -> None:
    assert job("targets: {a: {}, b: {distros: [x], odd: 1}, c: {odder: 2}}").targets == ("a", "b", "c")


def test_a_mapping_of_branches() -> None:
    found = job("dist_git_branches: {rawhide: {fast_forward_merge_into: [f41, f40]}, epel9: {}}")
    assert found.dist_git_branches == ("rawhide", "epel9")
    assert found.fast_forward == {"rawhide": ("f41", "f40")}
    assert job("dist_git_branches: {}").dist_git_branches == ()


def test_what_a_job_leaves_out_stays_empty() -> None:
    found = job("owner: me")
    assert (found.targets, found.branch, found.dist_git_branches, found.identifier) == ((), None, (), None)


# -- types and triggers --


@pytest.mark.parametrize("name", [kind.value for kind in list(JobType)[:10]])
def test_types_of_today(name: str) -> None:
    assert read(f"specfile_path: a\njobs: [{{job: {name}, trigger: release}}]").jobs[0].type == name


@pytest.mark.parametrize(
    "name", ["test", "propose_update", "Copr_Build", "'copr_build '", "1", "", "[tests]"]
)
def test_types_that_never_were(name: str) -> None:
    assert refused(f"specfile_path: a\njobs: [{{job: {name}, trigger: release}}]").dotted == "jobs[0].job"


def test_triggers_with_a_bar_make_jobs_in_place() -> None:
    config = read(
        "specfile_path: a\njobs:\n- {job: tests, trigger: ignore}\n"
        "- {job: bodhi_update, trigger: commit | koji_build}\n"
        "- {job: copr_build, trigger: pull_request|release}\n"
    )
    assert [(found.index, found.type, found.trigger) for found in config.jobs] == [
        (0, JobType.TESTS, JobTrigger.IGNORE),
        (1, JobType.BODHI_UPDATE, JobTrigger.COMMIT),
        (2, JobType.BODHI_UPDATE, JobTrigger.KOJI_BUILD),
        (3, JobType.COPR_BUILD, JobTrigger.PULL_REQUEST),
        (4, JobType.COPR_BUILD, JobTrigger.RELEASE),
    ]


@pytest.mark.parametrize(
    "value", ["[commit, release]", "", "1", "push", "commit |", "commit | push", "' commit'"]
)
def test_triggers_that_are_refused(value: str) -> None:
    assert refused(f"specfile_path: a\njobs:\n- job: tests\n  trigger: {value}\n").dotted == "jobs[0].trigger"


@pytest.mark.parametrize("value", ["", "{}", "words", "[null]", "[tests]", "{job: tests, trigger: commit}"])
def test_jobs_that_are_no_list_of_mappings(value: str) -> None:
    assert refused(f"specfile_path: a\njobs: {value}\n").dotted.startswith("jobs")


def test_no_jobs_at_all() -> None:
    assert top("").jobs == ()


# -- strictness --


@pytest.mark.parametrize(
    "key",
    ["foo", "acrions", "downstream-package-name", "1", "labels", "manual_trigger", "skip_build", "skip_install",
     "trigger", "sidetag_group", "dependents", "dependencies", "metadata"],
)  # fmt: skip
def test_keys_that_the_top_does_not_know(key: str) -> None:
    assert top_refused(f"{key}: [a]").line == 3


@pytest.mark.parametrize(
    ("key", "advice"),
    [
        ("synced_files", "files_to_sync"),
        ("upstream_project_name", "upstream_package_name"),
        ("current_version_command", "actions with get-current-version"),
        ("create_tarball_command", "actions with create-archive"),
    ],
)
def test_keys_that_have_gone_say_what_to_write(key: str, advice: str) -> None:
    # a key of today's in the same file says that the file is not of 2020
    error = refused(f"specfile_path: a\nsrpm_build_deps: []\n{key}: [a]\njobs: []\n")
    assert (error.dotted, error.line) == (key, 3)
    assert advice in error.message


def test_dist_git_url_has_no_effect() -> None:
    assert top("dist_git_url: https://example.org/x.git").jobs == ()


# -- metadata --


def test_metadata_is_folded_into_the_job() -> None:
    found = job(
        "metadata: {targets: [a], owner: me, skip_build: true, dist-git-branch: x, dist_git_branch: y}"
    )
    assert (found.targets, found.owner, found.skip_build, found.dist_git_branches) == (
        ("a",),
        "me",
        True,
        ("y",),
    )


def test_metadata_beats_the_top_level() -> None:
    assert job("metadata: {branch: main}", top="branch: devel").branch == "main"


@pytest.mark.parametrize(
    "key", ["branch: x", "skip_build: true", "tmt_plan: x", "dist_git_branches: [x]", "owner: "]
)
def test_metadata_beside_keys_it_could_hold(key: str) -> None:
    error = job_refused(f"{key}\n  metadata: {{project: p}}")
    assert error.dotted == f"jobs[0].{key.split(':')[0]}"
    assert "metadata" in error.message


def test_metadata_beside_other_keys() -> None:
    found = job("identifier: i\n  actions: {pre-sync: a}\n  metadata: {project: p}")
    assert (found.identifier, found.project) == ("i", "p")
    # of all keys that metadata can hold, targets may stand on both sides
    assert job("targets: [a]\n  metadata: {project: p}").targets == ("a",)


@pytest.mark.parametrize("key", ["identifier", "labels", "manual_trigger", "foo", "dist-git-branches"])
def test_metadata_has_a_list_of_its_own(key: str) -> None:
    assert job_refused(f"metadata: {{{key}: x}}").dotted == f"jobs[0].metadata.{key}"


def test_an_empty_metadata_is_nothing() -> None:
    assert job("branch: x\n  metadata:").branch == "x"
    assert job("branch: x\n  metadata: {}").branch == "x"


def test_the_old_names_of_branches_are_unknown_outside_metadata() -> None:
    assert job_refused("dist_git_branch: x").nearest == "dist_git_branches"


# -- inheritance and nulls --


def test_every_job_inherits_every_key_of_the_top() -> None:
    found = job(
        "branch: own",
        top="owner: '@us'\ntargets: [a]\nbranch: top\ntmt_plan: p\nrequire: {label: {absent: [x]}}",
    )
    assert (found.owner, found.targets, found.branch, found.tmt_plan) == ("@us", ("a",), "own", "p")
    assert found.require.labels_absent == ("x",)


def test_a_null_in_a_job_replaces_what_is_above() -> None:
    found = job("targets: \n  branch: \n  identifier: ", top="targets: [a]\nbranch: b\nidentifier: i")
    assert (found.targets, found.branch, found.identifier) == ((), None, None)


def test_a_null_in_a_key_that_only_jobs_have_is_nothing() -> None:
    found = job("labels: \n  manual_trigger: \n  skip_build: \n  packages: \n  package: ")
    assert (found.labels, found.manual_trigger, found.skip_build) == ((), False, False)


# -- names and the spec file --


def test_names_default_to_the_repository() -> None:
    config = top("")
    assert (config.upstream_package_name, config.downstream_package_name) == ("demo", "demo")
    assert list(config.packages) == ["demo"]
    assert config.upstream_tag_template == "{version}"
    assert config.settings.config_file_path == ".packit.yaml"


def test_the_spec_file_follows_the_downstream_name_only_if_that_is_in_the_file() -> None:
    assert read("downstream_package_name: down\njobs: []", ["found.spec"]).specfile_path == "down.spec"
    assert read("jobs: []", ["found.spec", "a.spec"]).specfile_path == "found.spec"
    assert read("specfile_path: ''\njobs: []", ["found.spec"]).specfile_path == "found.spec"
    assert list(read("downstream_package_name: down\njobs: []").packages) == ["down"]


def test_a_spec_file_is_needed_but_for_tests_that_build_nothing() -> None:
    tests = "jobs: [{job: tests, trigger: pull_request, skip_build: true}]"
    assert read(tests).specfile_path is None
    assert read("jobs: []").jobs == ()
    error = refused(tests.replace("tests", "copr_build"))
    assert error.dotted == "specfile_path"
    assert "set specfile_path" in error.message
    assert refused("specfile_path: a\njobs: [{job: copr_build, trigger: commit, specfile_path: }]").line == 2


def test_a_downstream_name_has_to_be_one() -> None:
    assert refused("specfile_path: a\ndownstream_package_name:\nsrpm_build_deps: []\njobs: []").line == 2
    assert top("upstream_package_name: ").upstream_package_name is None


def test_the_same_job_by_alias_has_to_be_written_out() -> None:
    text = "specfile_path: a\njobs:\n- &a {job: tests, trigger: commit, targets: [f]}\n- *a\n"
    assert refused(text).dotted == "jobs[1]"
    assert len(read(text.replace("- *a", "- {<<: *a}")).jobs) == 2
