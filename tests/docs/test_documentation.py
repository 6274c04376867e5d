"""The pages in ``docs/``: generated ones are up to date, commands and targets exist, links lead somewhere."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from docs import generate
from packit_worker.cli import main
from packit_worker.commands import OPTIONS, Verb, parse
from packit_worker.config.package import load
from packit_worker.config.package_schema import JOB_KEYS, SETTING_KEYS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
TEXTS = [*PAGES, ROOT / "README.md", ROOT / "openshift" / "README.md"]
_CODE = re.compile(r"```.*?\n(.*?)```|`([^`\n]+)`", re.DOTALL)


#: Groups of keys that the service reads itself; the program packit reads others.
USED = (
    "When a job applies",
    "Builds in Copr and Koji",
    "Tests in Testing Farm",
    "Releases in dist-git",
)
#: Said in a log, and no command.
LOGGED = ["packit-worker", "cannot", "serve"]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def code(path: Path) -> Iterator[str]:
    """Lines of code blocks, and code inside of sentences."""
    for block, inline in _CODE.findall(path.read_text()):
        yield from re.sub(r"\\\n\s*", "", block).splitlines() if block else [inline]


def commands_in(path: Path) -> list[list[str]]:
    """Every ``packit-worker ...`` that a page shows, as its words."""
    shown = [line for line in code(path) if re.match(r"(\$ )?packit-worker( |$)", line)]
    found = [shlex.split(line.removeprefix("$ "), comments=True) for line in shown]
    return [words for words in found if words != LOGGED]


def why_not(words: list[str]) -> str | None:
    """Why no ``packit-worker`` takes these words; None when one does. Values are not looked at."""
    command: click.Command = main
    context = click.Context(main, info_name="packit-worker")
    rest = iter(words[1:])
    for word in rest:
        if word.startswith("-") and word != "-":
            option = word.partition("=")[0]
            known = {
                spelling: parameter
                for parameter in command.get_params(context)
                if isinstance(parameter, click.Option)
                for spelling in (*parameter.opts, *parameter.secondary_opts)
            }
            if option not in known:
                return f"{context.command_path} has no option {option}"
            if not known[option].is_flag and "=" not in word and option != "--help":
                next(rest, None)
        elif isinstance(command, click.Group):
            found = command.get_command(context, word)
            if found is None:
                return f"{context.command_path} has no command {word}"
            command, context = found, click.Context(found, info_name=word, parent=context)
    return None


@pytest.mark.parametrize("page", generate.PAGES)
def test_a_generated_page_is_up_to_date(page: str) -> None:
    assert (DOCS / page).read_text() == generate.text_of(page), (
        f"docs/{page} is out of date; renew it with: {generate.RENEW}"
    )


def test_every_key_of_a_package_configuration_has_a_meaning_and_no_other_one() -> None:
    groups = yaml.safe_load((DOCS / "meanings.yaml").read_text())
    keys = [key for group in groups.values() for key in group]
    assert len(keys) == len(set(keys))
    assert set(keys) == SETTING_KEYS | JOB_KEYS


def test_what_is_said_to_be_used_or_not_is_so() -> None:
    source = "\n".join(
        path.read_text()
        for path in (ROOT / "packit_worker").rglob("*.py")
        if not {"config", "sandbox", "demo", "chaos"} & set(path.relative_to(ROOT).parts)
    )
    read = set(re.findall(r"\.([a-z_]+)\b", source))
    groups = yaml.safe_load((DOCS / "meanings.yaml").read_text())
    assert set(groups["Read, and not used by this service"]) & read == set()
    for group in USED:
        assert set(groups[group]) <= read


def test_the_page_of_commands_has_every_verb_and_option_and_a_handler_for_each() -> None:
    page = generate.text_of("user/commands.md")
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| `/packit")]
    assert [re.search(r"/packit ([a-z-]+)", row[0])[1] for row in rows] == list(Verb)  # type: ignore[index]
    assert all(option in page for option in OPTIONS)
    assert all(row[1] and row[2] for row in rows)


def test_no_secret_and_no_section_is_left_out_of_the_page_of_the_service_configuration() -> None:
    page = generate.text_of("operator/configuration.md")
    example = yaml.safe_load((ROOT / "packit_worker" / "config" / "example.yaml").read_text())
    shown: dict[str, object] = {}
    for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL):
        shown |= yaml.safe_load(block) or {}
    assert shown == example
    assert "`PACKIT_WORKER_GITHUB_WEBHOOK_SECRET`" in page
    assert "`bus.amqp_url_file`" in page


@pytest.mark.parametrize("path", TEXTS, ids=name)
def test_every_command_that_is_shown_exists(path: Path) -> None:
    assert [(words, reason) for words in commands_in(path) if (reason := why_not(words))] == []


def test_commands_are_found_and_wrong_ones_told() -> None:
    assert ["packit-worker", "queues"] in commands_in(DOCS / "operator" / "running.md")
    assert why_not(["packit-worker", "-c", "x.yaml", "db", "purge", "--dry-run"]) is None
    assert why_not(["packit-worker", "db", "prune"]) == "packit-worker db has no command prune"
    assert why_not(["packit-worker", "queues", "--all"]) == "packit-worker queues has no option --all"


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_every_comment_that_is_shown_is_a_command(path: Path) -> None:
    shown = [line for line in code(path) if line.startswith("/packit ") and "[" not in line]
    assert [mistake for line in shown for mistake in parse(line).mistakes] == []


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_every_target_of_make_exists(path: Path) -> None:
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {match[1] for line in code(path) if (match := re.match(r"make ([a-z-]+)", line))} <= known


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_links_out_of_the_documentation_lead_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\((\.\./[^)]+)\)", path.read_text()):
        file, _, anchor = link.partition("#")
        target = path.parent / file
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
            assert anchor in [re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings], link


def test_package_configurations_that_are_shown_can_be_read() -> None:
    shown = re.findall(r"```yaml\n(.*?)```", (DOCS / "user" / "first-steps.md").read_text(), re.DOTALL)
    assert shown
    for text in shown:
        assert load(text, path=".packit.yaml", repo_name="hello").jobs


def test_the_pages_build_without_a_warning_and_links_out_of_them_are_named(tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert built.returncode == 0, built.stderr
    assert {path.with_suffix("").relative_to(DOCS) for path in PAGES} <= {
        path.with_suffix("").relative_to(tmp_path) for path in tmp_path.rglob("*.html")
    }
    assert not list(tmp_path.rglob("*.py"))
    assert "openshift/monitoring/alerts.yaml" in (tmp_path / "operator" / "alerts.html").read_text()
    assert 'href="../../' not in (tmp_path / "developer" / "working.html").read_text()
