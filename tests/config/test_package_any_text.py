"""Whatever the text: a configuration, or the one error that is promised."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from packit_worker.config.package import PackageConfig, PackageConfigError, load
from packit_worker.config.package_schema import ACTIONS, JOB_KEYS, SETTING_KEYS, TRIGGERS, TYPES

LENIENT = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.floats(),
    st.text(max_size=6),
    st.dates(),
    st.binary(max_size=4),
    st.sampled_from(
        ["fedora-all", "main", "a.spec", "on", "{version}", "copr_build", "pull_request", *ACTIONS]
    ),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(scalars, inner, max_size=3),
    max_leaves=6,
)
keys = st.sampled_from(
    sorted(SETTING_KEYS | {"synced_files", "upstream_project_name", "_", "follow_fedora_branching"})
)
layers = st.dictionaries(keys, values, max_size=3)
jobs = st.builds(
    lambda layer, job, trigger, own, metadata: {**layer, **job, **trigger, **own, **metadata},
    layers,
    st.fixed_dictionaries({}, optional={"job": st.sampled_from([*TYPES, "build", "test"]) | values}),
    st.fixed_dictionaries(
        {}, optional={"trigger": st.sampled_from([*TRIGGERS, "commit | release"]) | values}
    ),
    st.dictionaries(st.sampled_from(sorted(JOB_KEYS | {"packages"})), values, max_size=1),
    st.fixed_dictionaries({}, optional={"metadata": layers | values}),
)
documents = st.builds(
    lambda layer, jobs, packages: {**layer, **jobs, **packages},
    layers,
    st.fixed_dictionaries({}, optional={"jobs": st.lists(jobs, max_size=3) | values}),
    st.fixed_dictionaries(
        {}, optional={"packages": st.dictionaries(st.text(max_size=3), layers, max_size=3) | values}
    ),
)
scraps = st.lists(
    st.sampled_from(
        ["jobs:", "- job: tests", "  trigger: commit", "&a ", "*a", "<<: ", "[", "]", "{", "}", ": ", ", ", "\n",
         "  ", "- ", "!!set ", "!!int ", "!!python/name:os ", "? ", "| ", "'", '"', "#", "---\n", "%YAML 1.1\n", "_: ",
         "packages: ", "2001-01-01", "\t", "\ufeff", "\x85", "=", "~", "0x", "1_", ".inf", "\\", "specfile_path: a\n"]
    ),
    max_size=25,
).map("".join)  # fmt: skip


def check(text: str) -> None:
    try:
        config = load(text, path=".packit.yaml", repo_name="demo", spec_files=["demo.spec"])
    except PackageConfigError as error:
        assert "fault of ours" not in str(error)
        assert "\n" not in str(error)
        assert error.problems
        for problem in error.problems:
            assert problem.message
            assert problem.line is None or 1 <= problem.line <= len(text) + 1
    else:
        assert isinstance(config, PackageConfig)
        assert [job.index for job in config.jobs] == list(range(len(config.jobs)))
        for view in config.views():
            assert view.packages and set(view.packages) <= set(config.packages)


@LENIENT
@given(st.text(alphabet=st.characters(), max_size=200))
@example("\ud800")
@example("? [a]\n: b")
@example("jobs: &j [*j]")
@example("<<: *nowhere")
@example("!!python/object/apply:os.system ['true']")
@example("packages: {1: {}}\njobs: [{job: tests, trigger: commit, packages: [a]}]")
def test_any_text(text: str) -> None:
    check(text)


@LENIENT
@given(scraps)
def test_any_scraps_of_yaml(text: str) -> None:
    check(text)


@LENIENT
@given(documents)
def test_any_structure(document: Any) -> None:
    check(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
