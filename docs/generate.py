"""The pages of the documentation that are made from the code: ``python -m docs.generate`` writes them anew.

They are committed, so that they can be read on the forge; a test says when they are out of date. What keys of a package
configuration mean stands in ``meanings.yaml``, all else in the code itself.
"""

from __future__ import annotations

import dataclasses
import html
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from marshmallow import Schema, fields

# Importing the package registers the handlers.
import packit_worker.handlers  # noqa: F401
from events.families import IssueComment, PullRequestComment
from packit_worker import registry
from packit_worker.checks.permission import commenter_may_ask
from packit_worker.commands import MOST_COMMANDS, WORDS, Verb, usage
from packit_worker.config import service_fields, service_schema
from packit_worker.config.jobs import PackageSettings
from packit_worker.config.nested_schema import SyncFileField, SyncFileSchema
from packit_worker.config.package import FILE_NAMES
from packit_worker.config.package_fields import (
    Actions,
    Choice,
    Choices,
    Flag,
    Many,
    Mapped,
    Text,
    Texts,
    Whole,
)
from packit_worker.config.package_schema import JOB, SETTINGS, TRIGGERS, TYPES, Triggers

HERE = Path(__file__).parent
RENEW = "python -m docs.generate"
_NOTE = f"<!-- Made by `{RENEW}`. Do not edit. -->\n"
_EXAMPLE = Path(service_schema.__file__).with_name("example.yaml")

Row = tuple[str, ...]


def commands_page() -> str:
    """Commands in comments, of `packit_worker/commands.py` and the handlers that answer them."""
    places = {PullRequestComment: "pull request", IssueComment: "issue"}
    rows: list[Row] = []
    for verb in Verb:
        found = [answer for answer in registry.table() if verb in answer.commands]
        words = [f"`{word}`" for word, meant in WORDS.items() if meant == verb and word != verb]
        where = [name for family, name in places.items() if any(_concerns(a.family, family) for a in found)]
        limited = any(commenter_may_ask in answer.handler.checks for answer in found)
        rows.append(
            (
                f"`{usage(verb)}`",
                " ".join(dict.fromkeys(answer.about for answer in found)),
                ", ".join(where),
                "write permission" if limited else "",
                ", ".join(words),
            )
        )
    return f"""# Comment commands

Write a command as a line of its own in a comment; {MOST_COMMANDS} of them at most. Lines inside code blocks and
quotations are none. A command that cannot be understood is answered with what was probably meant, and `/packit help`
with what you may ask for there.

{_table(("command", "what it does", "comment on", "takes", "also"), rows)}
Write permission is that in the project; the service's administrators need none. `--target` and `--env` may be repeated.
Without `--identifier` and `--labels` all jobs of the kind are meant; a test command without them takes
those of `test_command` in the [package configuration](package-configuration.md).
"""


def _concerns(family: type, comment: type) -> bool:
    return issubclass(family, comment) or issubclass(comment, family)


def package_configuration_page() -> str:
    """Keys of a package configuration, of the schemas in `packit_worker/config`."""
    meanings: Mapping[str, Mapping[str, str]] = yaml.safe_load((HERE / "meanings.yaml").read_text())
    known = {**SETTINGS.fields, **JOB.fields}
    defaults = {
        field.name: field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
        for field in dataclasses.fields(PackageSettings)
    }
    parts = []
    for group, keys in meanings.items():
        rows = []
        for key, meaning in keys.items():
            rows.append((f"`{key}`", _kind(known[key]), _default(defaults.get(key)), meaning))
            rows += [(f"`{name}`", kind, "", "") for name, kind in _inner(key, known[key])]
        parts.append(f"## {group}\n\n{_table(('key', 'holds', 'default', 'meaning'), rows)}")
    served = registry.served_jobs()
    jobs = "\n".join(
        f"* `{name}`" + ("" if kind in served else ": read, and not run by this service")
        for name, kind in TYPES.items()
    )
    renamed = _table(
        ("key", "use"), [(f"`{key}`", _cell(advice)) for key, advice in sorted(SETTINGS.renamed.items())]
    )
    return f"""# Package configuration

One file in the repository: the first of {", ".join(f"`{name}`" for name in FILE_NAMES)}.
Keys stand at the top (for all), in `packages` below the name of a package, of a repository with several, or in a job,
where they count before the others. Any other key is an error which the check `package-config` shows, with its line and
the nearest known key. Try it with `packit-worker config check .packit.yaml`.

Beside the keys below the top may hold `jobs`, a list of jobs, and `packages`, a mapping of names to settings; a job may
hold `packages`, a list of those it is for.

## Types of jobs

{jobs}

{chr(10).join(parts)}
## Keys that have gone

{renamed}"""


def service_configuration_page() -> str:
    """Keys of the service's configuration, of `packit_worker/config/example.yaml` and its schema."""
    intro, *sections = _sections(_EXAMPLE.read_text())
    secrets = [
        (f"`{path}`", f"`PACKIT_WORKER_{path.replace('.', '_').replace('-', '_').upper()}`", f"`{path}_file`")
        for path in _secrets(service_schema.SERVICE)
    ]
    missing = service_schema.SERVICE.fields.keys() - {
        key for _, text in sections for key in re.findall(r"^(?:# )?(\w+?)(?:_file)?:", text, re.MULTILINE)
    }
    if missing:
        raise ValueError(f"{_EXAMPLE.name} does not show {', '.join(sorted(missing))}")
    shown = "\n".join(f"## {title}\n\n```yaml\n{text}\n```\n" for title, text in sections)
    return f"""# Service configuration

{_prose(intro[1])}

`packit-worker config check` says what is wrong with a file, and where.

{shown}
## Secrets

{_table(("key", "variable", "or in a file, named by"), secrets)}
Those of `pagure` and `gitlab` stand in lists, which have no variables.
"""


def _sections(text: str) -> list[tuple[str, str]]:
    """Title and text of each part between blank lines, named after its keys; the comment at the head comes first."""
    found = []
    for part in re.split(r"\n\n(?=\S)", text.strip()):
        keys = re.findall(r"^(?:# )?([a-z_]+):(?: |$)", part, re.MULTILINE)
        several = f" ... `{keys[-1]}`" if len(keys) > 1 else ""
        found.append((f"`{keys[0]}`{several}" if keys else "", part))
    # The head of the file is comments alone, in paragraphs.
    head = [part for title, part in found if all(line.startswith("#") for line in part.splitlines())]
    return [("", "\n".join(head)), *(pair for pair in found if pair[1] not in head)]


def _prose(comment: str) -> str:
    return "\n".join(
        html.escape(line.removeprefix("#").strip(), quote=False) for line in comment.splitlines()
    )


def _secrets(schema: Schema, above: str = "") -> Iterator[str]:
    for name, field in schema.fields.items():
        path = above + (field.data_key or name)
        if isinstance(field, service_fields.SecretText | service_fields.PasswordUrl):
            yield path
        elif isinstance(field, fields.Nested):
            yield from _secrets(field.schema, f"{path}.")


#: What a field holds, where its docstring does not say it in a few words.
_KINDS: Mapping[type, str] = {
    Text: "text",
    Flag: "true or false",
    Whole: "whole number",
    Texts: "list of texts",
    Mapped: "mapping",
    SyncFileField: "path, or mapping",
}


def _kind(field: fields.Field[Any]) -> str:
    if type(field) in _KINDS:
        return _KINDS[type(field)]
    if isinstance(field, fields.Nested):
        return "mapping"
    if isinstance(field, Choice):
        return "one of " + _words(field.known)
    if isinstance(field, Choices):
        return "list of " + _words(field.inner.known)
    if isinstance(field, Many):
        return "list; each: " + _kind(field.inner)
    if isinstance(field, Triggers):
        return "one of " + _words(TRIGGERS) + r", or several with `\|` between"
    if isinstance(field, Actions):
        return "mapping of " + _words(field.known) + " to commands"
    return _cell((type(field).__doc__ or "").split(". ")[0].split("; ")[0].rstrip("."))


def _inner(above: str, field: fields.Field[Any]) -> Iterator[Row]:
    """The keys inside a mapping, or inside each mapping of a list, with what they hold."""
    if isinstance(field, Many):
        yield from _inner(f"{above}[]", field.inner)
        return
    schema = SyncFileSchema() if isinstance(field, SyncFileField) else getattr(field, "schema", None)
    for name, inner in schema.fields.items() if schema else ():
        yield f"{above}.{name}", _kind(inner)
        yield from _inner(f"{above}.{name}", inner)


def _words(known: Mapping[str, object]) -> str:
    return ", ".join(f"`{word}`" for word in known)


def _default(value: object) -> str:
    if value is None or dataclasses.is_dataclass(value) or value in ((), {}):
        return ""
    plain = list(value) if isinstance(value, tuple) else value
    return "`" + yaml.safe_dump(plain, default_flow_style=True).removesuffix("\n...\n").strip() + "`"


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", " ")


def _table(head: Row, rows: list[Row]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join("|".join(["", *(f" {cell} " if cell else " " for cell in row), "\n"]) for row in lines)


PAGES: Mapping[str, Callable[[], str]] = {
    "user/commands.md": commands_page,
    "user/package-configuration.md": package_configuration_page,
    "operator/configuration.md": service_configuration_page,
}


def text_of(page: str) -> str:
    """What a generated page has to hold."""
    return _NOTE + "\n" + PAGES[page]().rstrip("\n") + "\n"


if __name__ == "__main__":
    for page in PAGES:
        (HERE / page).write_text(text_of(page))
