"""Text of a YAML file in, plain data with the place of every key out. For the two readers of this folder only.

The text comes from strangers, so everything is counted before it is built: bytes, nodes, depth, what aliases would
expand to, and the pairs that merge keys copy. What the loader lets through is safe to walk, to copy and to dump.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any, NamedTuple

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.reader import ReaderError

MAX_BYTES = 256 * 1024
MAX_NODES = 20_000
MAX_DEPTH = 100
MAX_EXPANDED = 50_000  # nodes, were every alias written out
MAX_MERGED = 50_000  # pairs copied by merge keys

PLACEHOLDER = "_"  # the top-level key under which people park their anchors; its value is not used

_TAG = "tag:yaml.org,2002:"
_MERGE, _VALUE = _TAG + "merge", _TAG + "value"
# JSON has no such values, and neither task arguments nor the journal can hold them
_NOT_PLAIN = {
    _TAG + "timestamp": "is read as a date; put it in quotes if text is meant",
    _TAG + "binary": "is binary data; write text",
    _TAG + "set": "is a set; write a list",
}
_RECURSIVE = "contains itself through an alias; write it out"

Path = tuple[Hashable, ...]


class DocumentError(Exception):
    """The text is no YAML, or more of it than may be read. ``line`` and ``column`` count from 1; None: no one place."""

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


class _Extent(NamedTuple):
    """What a node amounts to with its aliases written out, and the first thing in it that is not plain data."""

    size: float
    depth: float
    odd: Node | None
    why: str


@dataclass
class Document:
    """A file's ``data`` (None for an empty one) and where its keys stand."""

    data: Any
    root: Node | None = None
    pairs: dict[int, dict[Hashable, tuple[Node, Node]]] = field(default_factory=dict)

    def locate(self, path: Sequence[Hashable]) -> tuple[int | None, int | None]:
        """Line and column (from 1) of the key or item at ``path``, else of the nearest one above it that exists."""
        if self.root is None:
            return None, None
        node, mark = self.root, self.root.start_mark
        for step in path:
            pair = self.pairs.get(id(node), {}).get(step)
            if pair is not None:
                mark, node = pair[0].start_mark, pair[1]
            elif isinstance(node, SequenceNode) and isinstance(step, int) and 0 <= step < len(node.value):
                node = node.value[step]
                mark = node.start_mark
            else:
                break
        return mark.line + 1, mark.column + 1


class _Loader(yaml.SafeLoader):
    """A SafeLoader that counts what it is asked to build and notes where the keys are."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.nodes = 0
        self.depth = 0
        self.merged = 0
        self.extents: dict[Node, _Extent] = {}
        self.pairs: dict[int, dict[Hashable, tuple[Node, Node]]] = {}

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        event = self.peek_event()
        alias = isinstance(event, yaml.AliasEvent)
        self.nodes += 1
        self.depth += 1
        if self.nodes > MAX_NODES:
            raise _at(event.start_mark, f"the file has more than {MAX_NODES} values; make it smaller")
        if self.depth > MAX_DEPTH:
            raise _at(event.start_mark, f"values are nested deeper than {MAX_DEPTH} levels")
        node: Node | None = super().compose_node(parent, index)
        self.depth -= 1
        if node is not None and not alias:
            self.extents[node] = self._extent(node)
        return node

    def _extent(self, node: Node) -> _Extent:
        why = _NOT_PLAIN.get(node.tag, "")
        size, depth, odd = 1.0, 0.0, node if why else None
        children = _children(node)
        for child in children:
            # an alias to a node that is still being composed: it contains itself
            found = self.extents.get(child) or _Extent(inf, inf, node, _RECURSIVE)
            size, depth = size + found.size, max(depth, found.depth)
            if odd is None and found.odd is not None:
                odd, why = found.odd, found.why
        return _Extent(size, depth + 1, odd, why)

    def check(self, root: Node) -> None:
        """Refuse what would grow out of hand or is no plain data, but for what stands under the placeholder key."""
        if isinstance(root, MappingNode) and root.tag not in _NOT_PLAIN:
            parts = [
                part
                for key, value in root.value
                if not (isinstance(key, ScalarNode) and key.value == PLACEHOLDER)
                for part in (key, value)
            ]
        else:
            parts = [root]
        total = 0.0
        for part in parts:
            extent = self.extents.get(part) or _Extent(inf, inf, part, _RECURSIVE)
            if extent.odd is not None:
                raise _at(extent.odd.start_mark, f"this value {extent.why}")
            total += extent.size
            if total > MAX_EXPANDED or extent.depth > MAX_DEPTH:
                raise _at(part.start_mark, "the aliases expand to far too many values; use fewer of them")

    def flatten_mapping(self, node: MappingNode) -> None:
        """Put the pairs of merge keys before the mapping's own, as YAML 1.1 wants, and keep count of them."""
        own: list[tuple[Node, Node]] = []
        merges: list[Node] = []
        for key, value in node.value:
            if key.tag == _MERGE:
                merges.append(value)
                continue
            if key.tag == _VALUE:
                key.tag = _TAG + "str"
            own.append((key, value))
        node.value = own
        copied: list[tuple[Node, Node]] = []
        for merge in merges:
            # of a list the first mapping wins, of a mapping's pairs the last
            for source in reversed(merge.value) if isinstance(merge, SequenceNode) else [merge]:
                if not isinstance(source, MappingNode):
                    raise _at(source.start_mark, "a merge key (<<) takes a mapping or a list of mappings")
                self.flatten_mapping(source)
                self.merged += len(source.value)
                if self.merged > MAX_MERGED:
                    raise _at(
                        source.start_mark, "the merge keys (<<) copy far too many values; use fewer of them"
                    )
                copied.extend(source.value)
        if copied:
            node.value = copied + own

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Any, Any]:
        mapping: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        if isinstance(node, MappingNode):
            # keys are scalars here (nothing else a SafeLoader builds is hashable), so this builds nothing big
            self.pairs[id(node)] = {self.construct_object(key): (key, value) for key, value in node.value}
        return mapping


def read(text: str) -> Document:
    """The document in ``text``; raises DocumentError and nothing else, whatever the text."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise DocumentError(f"the file is larger than {MAX_BYTES // 1024} kB")
    try:
        loader = _Loader(text)
        root: Node | None = loader.get_single_node()
        if root is None:
            return Document(None)
        loader.check(root)
        return Document(loader.construct_document(root), root, loader.pairs)
    except DocumentError:
        raise
    except ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise DocumentError(
            f"the character {_code(error.character)} is not allowed in YAML; remove it", line, column
        ) from error
    except yaml.MarkedYAMLError as error:
        words = "; ".join(part for part in (error.context, error.problem) if part)
        raise _at(error.problem_mark or error.context_mark, f"this is not valid YAML: {words}") from error
    except RecursionError as error:
        raise DocumentError("values are nested too deep") from error
    except Exception as error:
        # PyYAML's constructors let ValueError, KeyError, AttributeError ... out for e.g. `!!bool x` or 2024-13-45
        raise DocumentError(
            f"a value does not fit its YAML type ({type(error).__name__}); put it in quotes"
        ) from error


def _children(node: Node) -> list[Node]:
    if isinstance(node, MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, SequenceNode) else []


def _code(character: str | bytes | int) -> str:
    return f"U+{character if isinstance(character, int) else ord(character):04X}"


def _at(mark: yaml.Mark | None, message: str) -> DocumentError:
    return DocumentError(message, mark.line + 1, mark.column + 1) if mark else DocumentError(message)
