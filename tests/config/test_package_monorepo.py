"""Files for several packages: who inherits what, and what a job covers."""

from __future__ import annotations

import pytest

from packit_worker.config.package import PackageConfig, PackageConfigError, load

TWO = "packages:\n  a: {specfile_path: a.spec, paths: [a]}\n  b: {specfile_path: b.spec, downstream_package_name: bb}\n"


def read(text: str, spec_files: list[str] | None = None) -> PackageConfig:
    return load(text, path=".packit.yaml", repo_name="demo", spec_files=spec_files)


def refused(text: str) -> PackageConfigError:
    with pytest.raises(PackageConfigError) as caught:
        read(text)
    assert "fault of ours" not in str(caught.value)
    return caught.value


def job(lines: str, packages: str = TWO) -> str:
    return f"{packages}jobs:\n- job: tests\n  trigger: commit\n  {lines}\n"


def test_each_layer_beats_the_one_before() -> None:
    config = read(
        "branch: top\nowner: top\nproject: top\ntmt_plan: top\n"
        "packages:\n  a: {specfile_path: a.spec, owner: package, project: package, tmt_plan: package}\n"
        "  b: {specfile_path: b.spec}\n"
        "jobs:\n- job: tests\n  trigger: commit\n  project: job\n  tmt_plan: job\n"
        "  packages: {a: {tmt_plan: both}, b: {}}\n"
    )
    a, b = config.views()
    assert (a.branch, a.owner, a.project, a.tmt_plan) == ("top", "package", "job", "both")
    assert (b.branch, b.owner, b.project, b.tmt_plan) == ("top", "top", "job", "job")


def test_names_at_the_top_do_not_reach_the_packages() -> None:
    config = read(
        "specfile_path: top.spec\nupstream_package_name: top\ndownstream_package_name: top\n"
        "upstream_tag_template: v{version}\n"
        "packages: {a: {paths: [a]}, b: {downstream_package_name: bb}}\njobs: []\n",
        ["found.spec"],
    )
    a, b = config.packages.values()
    assert (a.specfile_path, a.upstream_package_name, a.downstream_package_name) == (
        "found.spec",
        "demo",
        "demo",
    )
    assert (b.specfile_path, b.downstream_package_name) == ("bb.spec", "bb")
    assert a.upstream_tag_template == "v{version}"


def test_the_project_url_at_the_top_counts_for_all() -> None:
    text = "packages: {a: {specfile_path: a, upstream_project_url: own}, b: {specfile_path: b}}\njobs: []\n"
    assert [item.upstream_project_url for item in read(text).packages.values()] == ["own", None]
    assert [
        item.upstream_project_url for item in read(text + "upstream_project_url: top\n").packages.values()
    ] == ["top"] * 2


def test_a_value_that_every_package_replaces_is_not_looked_at() -> None:
    assert read(
        "branch: 5\npackages: {a: {specfile_path: a, branch: x}, b: {specfile_path: b, branch: y}}\njobs: []"
    )
    assert (
        refused(
            "branch: 5\npackages: {a: {specfile_path: a, branch: x}, b: {specfile_path: b}}\njobs: []"
        ).line
        == 1
    )


@pytest.mark.parametrize(
    ("selection", "covered"),
    [("labels: []", "ab"), ("packages: []", "ab"), ("packages: [b, a]", "ab"), ("packages: [b]", "b"),
     ("packages: {b: {}, a: {}}", "ba"), ("package: b", "b")],
)  # fmt: skip
def test_what_a_job_covers(selection: str, covered: str) -> None:
    config = read(job(selection))
    assert config.jobs[0].packages == tuple(covered)
    assert [view.packages for view in config.views()] == [(key,) for key in covered]


@pytest.mark.parametrize(
    "selection", ["packages: [c]", "packages: a", "packages: {c: {}}", "packages: {a: }", "package: c"]
)
def test_selections_that_are_refused(selection: str) -> None:
    assert refused(job(selection)).dotted.startswith("jobs[0].package")


@pytest.mark.parametrize("value", ["{}", "", "[a]", "{a: , b: {specfile_path: b}}", "{1: {}}"])
def test_packages_that_are_refused(value: str) -> None:
    assert refused(f"specfile_path: a\npackages: {value}\njobs: []\n").dotted.startswith("packages")


def test_a_views_identifier_reads_as_its_package() -> None:
    config = read(job("owner: x") + "- {job: copr_build, trigger: commit, identifier: shared}\n")
    assert [view.identifier for view in config.views()] == ["a", "b", "shared", "shared"]
    assert config.jobs[0].identifier is None
    assert [view.index for view in config.views()] == [0, 0, 1, 1]


def test_a_view_has_the_settings_of_its_package() -> None:
    view = read(job("owner: x")).jobs[0].for_package("b")
    assert (view.specfile_path, view.downstream_package_name, view.owner) == ("b.spec", "bb", "x")
    with pytest.raises(KeyError):
        view.for_package("a")


def test_one_package_makes_no_monorepo() -> None:
    config = read(job("owner: x", "packages: {a: {specfile_path: a.spec}}\n"))
    assert not config.is_monorepo
    (view,) = config.views()
    assert (view.packages, view.identifier) == (("a",), None)


def test_packages_may_share_an_anchor() -> None:
    config = read("packages: {a: &p {specfile_path: a.spec}, b: *p}\njobs: []\n")
    assert [item.specfile_path for item in config.packages.values()] == ["a.spec", "a.spec"]


def test_one_text_for_a_list_in_a_jobs_packages() -> None:
    assert read(job("packages: {a: {targets: f}}")).jobs[0].targets == ("f",)


def test_the_place_of_a_problem_in_a_package() -> None:
    error = refused("packages:\n  a:\n    specfile_path: a\n    tragets: [x]\njobs: []\n")
    assert (error.dotted, error.line, error.column, error.nearest) == ("packages.a.tragets", 4, 5, "targets")


def test_default_jobs_cover_all_packages() -> None:
    assert [found.packages for found in read(TWO).jobs] == [("a", "b")] * 3
