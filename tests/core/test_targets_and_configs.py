"""What targets stand for, and how package configurations are read and kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packit_worker.errors import NotFound, UserError
from packit_worker.journal import Journal, projects
from packit_worker.situation import configs
from packit_worker.situation.configs import Reading
from packit_worker.targets import chroots

ALIASES = {"fedora-stable": ("fedora-44", "fedora-43"), "epel-all": ("epel-9", "epel-10")}
URL = "https://forge.example/acme/hello"


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (["fedora-43"], ["fedora-43-x86_64"]),
        (["fedora-43-aarch64"], ["fedora-43-aarch64"]),
        (["fedora-stable"], ["fedora-44-x86_64", "fedora-43-x86_64"]),
        (["fedora-stable-s390x"], ["fedora-44-s390x", "fedora-43-s390x"]),
        (["fedora-43", "fedora-stable"], ["fedora-43-x86_64", "fedora-44-x86_64"]),
        (["rawhide"], ["fedora-rawhide-x86_64"]),
        ([" epel-all "], ["epel-9-x86_64", "epel-10-x86_64"]),
        ([], []),
    ],
)
def test_chroots(wanted: list[str], found: list[str]) -> None:
    assert chroots(wanted, ALIASES.get) == tuple(found)


@pytest.mark.parametrize("wrong", ["fedora", "", "../../etc", "fedora 43", "-x86_64", "a$(id)-1", "x86_64"])
def test_what_is_no_target_says_what_to_write(wrong: str) -> None:
    with pytest.raises(UserError) as error:
        chroots([wrong], ALIASES.get)
    assert error.value.next_step


@given(st.lists(st.text(max_size=20), max_size=5))
def test_any_words(words: list[str]) -> None:
    try:
        found = chroots(words, ALIASES.get)
    except UserError:
        return
    assert len(set(found)) == len(found)
    assert all(name.isascii() and " " not in name and "/" not in name for name in found)


class AProject:
    """A project at one commit."""

    url = URL

    def __init__(self, **files: str) -> None:
        self.files = {name.replace("_", "."): text for name, text in files.items()}
        self.calls = 0

    def top_files(self, ref: str) -> list[str]:
        self.calls += 1
        return list(self.files)

    def file(self, path: str, ref: str) -> str:
        self.calls += 1
        if path not in self.files:
            raise NotFound(path)
        return self.files[path]


def test_two_calls_or_one() -> None:
    some = AProject(_packit_yaml="jobs: []\n", hello_spec="")
    reading = configs.read(some, "sha")  # type: ignore[arg-type]
    assert reading == Reading(path=".packit.yaml", text="jobs: []\n", spec_files=("hello.spec",))
    assert some.calls == 2
    none = AProject(README="hello")
    assert configs.read(none, "sha") == Reading(path=None, text=None, spec_files=())  # type: ignore[arg-type]
    assert none.calls == 1


def test_kept_as_it_was_read(journal: Journal) -> None:
    with journal.write() as session:
        for text in ("first", "second"):
            projects.keep_config(session, URL, "a" * 40, ".packit.yaml", text, ["hello.spec"])
        projects.keep_config(session, URL, "b" * 40, None, None, [])
    with journal.read() as session:
        first = Reading(path=".packit.yaml", text="first", spec_files=("hello.spec",))
        assert configs.kept(session, URL, "a" * 40) == first, "a commit never changes"
        assert configs.kept(session, URL, "b" * 40) == Reading(path=None, text=None, spec_files=())
        assert configs.kept(session, URL, "c" * 40) is None
