"""Paths from a configuration, and files that a jail left behind: tricks with dots and links lead nowhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from packit_worker.cell.paths import inside, take_out
from packit_worker.errors import UserError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "root"
    (made / "sub").mkdir(parents=True)
    (made / "sub" / "a.spec").write_text("Name: a\n")
    (tmp_path / "secret").write_text("canary")
    (made / "out").symlink_to(tmp_path / "secret")
    (made / "up").symlink_to("..")
    (made / "within").symlink_to("sub/a.spec")
    (made / "loop").symlink_to("loop")
    return made


@pytest.mark.parametrize(
    "path", ["sub/a.spec", "./sub/a.spec", "sub//a.spec", "within", "not/yet/there", ".", "..spec"]
)
def test_a_path_inside_is_fine(root: Path, path: str) -> None:
    assert inside(root, path).is_relative_to(root)


@pytest.mark.parametrize(
    "path",
    [
        *(
            "",
            "/etc/passwd",
            "../secret",
            "sub/../../secret",
            "out",
            "up/secret",
            "~/x",
            "a\0b",
            "a\nb",
            "loop/x",
        ),
        *("../../etc/passwd", ".git/config", "sub/.GIT/hooks/x", ".git./config", "x" * 2000),
    ],
)
def test_a_path_outside_is_refused(root: Path, path: str) -> None:
    with pytest.raises(UserError) as raised:
        inside(root, path)
    assert raised.value.next_step
    assert len(str(raised.value)) < 400


def test_a_plain_file_is_taken_out(root: Path, tmp_path: Path) -> None:
    taken = take_out(root, "sub/a.spec", tmp_path / "taken", limit=100)
    assert taken.read_text() == "Name: a\n"
    with pytest.raises(UserError):
        take_out(root, "sub/a.spec", tmp_path / "taken", limit=100)


def test_links_pipes_directories_and_giants_are_left(root: Path, tmp_path: Path) -> None:
    os.mkfifo(root / "pipe")
    (root / "large").write_bytes(b"x" * 101)
    (root / "linked").symlink_to("sub")
    for path in ("out", "within", "linked/a.spec", "pipe", "sub", "large", "missing", "../secret"):
        with pytest.raises(UserError):
            take_out(root, path, tmp_path / "taken", limit=100)
        assert not (tmp_path / "taken").exists()
