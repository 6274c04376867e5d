"""Row 11: names of branches that git takes for options, addresses that run programs, paths that lead out.

``tests/cell/test_git.py`` and ``test_paths.py`` go through many more of them one by one.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from cell.conftest import Forge
from cell.conftest import git as system_git

from packit_worker.cell import git
from packit_worker.cell.paths import inside, take_out
from packit_worker.errors import Refused, UserError


def test_a_branch_that_looks_like_an_option(
    forge: Forge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = forge.repository("a.git", {"file": "1"})
    commit = system_git("rev-parse", "HEAD", cwd=seed)
    monkeypatch.chdir(tmp_path)
    names = [f"--upload-pack=touch${{IFS}}{tmp_path}/X", "--output=X", "-uX"]
    for number, name in enumerate(names):
        # Git makes no such branch; plumbing and hostile servers do.
        ref = forge.root / "a.git" / "refs" / "heads" / name
        ref.parent.mkdir(parents=True, exist_ok=True)
        ref.write_text(f"{commit}\n")
        cloned = git.clone(
            forge.url("a.git"), f"refs/heads/{name}", tmp_path / str(number), allow=[forge.address]
        )
        assert cloned == commit
        with pytest.raises(UserError):
            git.clone(forge.url("a.git"), name, tmp_path / f"{number}-short", allow=[forge.address])
    assert not (tmp_path / "X").exists()


@pytest.mark.parametrize(
    "url", ["ext::sh -c touch% X", "--upload-pack=touch X", "file:///etc", "ssh://-oProxyCommand=touch X/a"]
)
def test_an_address_that_runs_a_program(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Refused):
        git.clone(url, "refs/heads/main", tmp_path / "clone")
    assert not (tmp_path / "X").exists()


def test_a_link_in_a_repository_leads_nowhere(forge: Forge, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("canary")
    seed = forge.repository("a.git", {"file": "1"})
    (seed / "hello.spec").symlink_to(tmp_path / "secret")
    (seed / "up").symlink_to("../../..")
    commit = forge.commit(seed, {}, "links")
    forge.publish(seed, "a.git", "HEAD:refs/heads/main")
    there = tmp_path / "clone"
    git.clone(forge.url("a.git"), "refs/heads/main", there, allow=[forge.address])
    git.checkout(there, commit)
    for path in ("up/secret", "../../etc/passwd", "/etc/passwd", ".git/config"):
        with pytest.raises(UserError):
            take_out(there, path, tmp_path / "taken", limit=1000)
    with pytest.raises(UserError):
        inside(there, "../../etc/passwd")
    assert not (tmp_path / "taken").exists()
    # What was a link is a plain file now, with nothing but the link's words.
    assert take_out(there, "hello.spec", tmp_path / "taken", limit=1000).read_text() == str(
        tmp_path / "secret"
    )
