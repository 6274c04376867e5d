"""The sandbox stands alone: it imports nothing else of the project, and its files stay small."""

import ast
from pathlib import Path

import packit_worker.sandbox

FILES = sorted(Path(packit_worker.sandbox.__file__).parent.glob("*.py"))
OURS = {"packit_worker", "events", "parsers", "tests"}


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or ".")
    return names


def test_imports() -> None:
    assert len(FILES) > 20
    for path in FILES:
        for name in imported(path):
            ours = name.partition(".")[0] in OURS
            assert not ours or name.startswith("packit_worker.sandbox"), (path.name, name)


def test_size() -> None:
    for path in FILES:
        assert len(path.read_text().splitlines()) <= 350, path.name
