"""What the maintainer of a broken file is told: everything, with the place and what to do."""

from __future__ import annotations

import copy
import pickle

import pytest

from packit_worker.config.package import PackageConfigError, load
from packit_worker.errors import UserError

BROKEN = """specfile_path: my.spec
acrions: {}
jobs:
  - job: copr_build
    trigger: pull_request
  - job: test
    trigger: pull_requests
    tragets:
      - fedora-all
"""


def refused(text: str) -> PackageConfigError:
    with pytest.raises(PackageConfigError) as caught:
        load(text, path=".packit.yaml", repo_name="demo")
    return caught.value


def test_all_problems_in_the_order_of_the_file() -> None:
    assert [(p.dotted, p.line, p.column, p.nearest) for p in refused(BROKEN).problems] == [
        ("acrions", 2, 1, "actions"),
        ("jobs[1].job", 6, 5, "tests"),
        ("jobs[1].trigger", 7, 5, "pull_request"),
        ("jobs[1].tragets", 8, 5, "targets"),
    ]


def test_the_first_problem_as_attributes() -> None:
    error = refused(BROKEN)
    assert (error.path, error.dotted, error.line, error.column, error.nearest) == (
        ".packit.yaml",
        "acrions",
        2,
        1,
        "actions",
    )
    assert error.message == "is not a known key: did you mean actions?"


def test_one_readable_line() -> None:
    text = str(refused(BROKEN))
    assert text.startswith(
        ".packit.yaml:2:1: acrions: is not a known key: did you mean actions?; .packit.yaml:6:5: "
    )
    assert "\n" not in text


def test_many_problems_are_counted() -> None:
    error = refused("specfile_path: a\njobs: []\n" + "".join(f"zzz{number}: 1\n" for number in range(30)))
    assert len(error.problems) == 30
    assert str(error).endswith("and 25 more")


def test_it_is_for_a_person_and_says_what_to_do() -> None:
    error = refused("a: 'b")
    assert isinstance(error, UserError)
    assert ".packit.yaml" in error.next_step


def test_it_survives_a_process_boundary() -> None:
    error = refused(BROKEN + "synced_files: []\n")
    assert {type(problem.message) for problem in error.problems} == {str}
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (str(twin), twin.problems) == (str(error), error.problems)


def test_what_is_missing_is_told_where_it_should_stand() -> None:
    error = refused("specfile_path: a\njobs:\n- {job: tests, trigger: commit}\n- trigger: commit\n")
    assert (error.dotted, error.line, error.column) == ("jobs[1].job", 4, 3)
    assert "copr_build" in error.message


def test_mistakes_of_syntax_have_a_place() -> None:
    error = refused("jobs:\n- job: tests\n trigger: commit\n")
    assert (error.dotted, error.line) == ("", 3)


def test_a_key_from_an_anchor_is_told_where_it_is_written() -> None:
    error = refused(
        "specfile_path: a\n_:\n  - &base {job: tests, trigger: commit, tragets: [x]}\njobs:\n- <<: *base\n"
    )
    assert (error.dotted, error.line) == ("jobs[0].tragets", 3)


def test_deep_places() -> None:
    error = refused("specfile_path: a\njobs: []\nfiles_to_sync:\n- a\n- src: b\n  dest: c\n  filter: [x]\n")
    assert (error.dotted, error.line, error.nearest) == ("files_to_sync[1].filter", 7, "filters")


def test_words_of_the_file_are_shown_short_and_without_control_characters() -> None:
    error = refused(f'specfile_path: a\njobs: []\n"x\\e[31m{"y" * 500}": 1\n')
    assert "\x1b" not in str(error)
    assert len(str(error)) < 200


def test_nothing_near_is_named_for_a_word_like_no_other() -> None:
    error = refused("specfile_path: a\njobs: []\nqqqqqq: 1\n")
    assert error.nearest is None
    assert "remove it" in error.message
