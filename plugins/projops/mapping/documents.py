"""YAML read strictly: every value knows its file and line, nothing is guessed.

Scalars follow YAML 1.2's core schema, so that the enum symbol `No` is a text and not a truth
value, and `1.0.0.22` or `12:30` are texts. Keys that occur twice are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from projops.mapping.findings import Finding

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")  # a longer one is a text: nobody counts so far
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]*)\.[0-9]+")
_LARGEST_FILE = 1024 * 1024
_DEEPEST = 20
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Located:
    """A value and where it stands.

    Attributes:
        value: None, bool, int, Decimal, str, tuple of Located, or dict of Located by key. A key
            that YAML reads as a number or a truth value stays that.
        line: Line, from 1.
        key_line: Line of the key that leads to it, else `line`.
        comment: What stands behind it on its line, without the mark.
    """

    value: Any
    line: int
    key_line: int
    comment: str

    def plain(self) -> Any:
        """The value without places."""
        if isinstance(self.value, dict):
            return {key: each.plain() for key, each in self.value.items()}
        if isinstance(self.value, tuple):
            return tuple(each.plain() for each in self.value)
        return self.value


class Document:
    """A YAML file being read; what is wrong with it is collected, not raised.

    Attributes:
        file: Path shown in messages.
        findings: What is wrong so far.
    """

    def __init__(self, path: Path, file: str) -> None:
        self.file = file
        self.findings: list[Finding] = []
        self._lines: list[str] = []
        self.root = self._read(path)

    def report(self, line: int, message: str, remedy: str) -> None:
        """Note that something is wrong."""
        self.findings.append(Finding(self.file, line, message, remedy))

    def section(
        self, located: Located | None, what: str, allowed: frozenset[str] | None = None
    ) -> dict[Any, Located]:
        """The entries of a mapping, none when it is something else; unknown keys are reported."""
        if located is None:
            return {}
        if not isinstance(located.value, dict):
            self.report(
                located.line, f"{_opening(what)} must be a mapping.", "Write it as `name: value` entries."
            )
            return {}
        for key in located.value if allowed is not None else ():
            if allowed is not None and key not in allowed:
                self.report(
                    located.value[key].key_line,
                    f"{_opening(what)} has the unknown key {key}.",
                    f"Use one of: {', '.join(sorted(allowed))}.",
                )
        return located.value

    def text(self, entries: Mapping[Any, Located], key: str, what: str, default: str | None = None) -> str:
        """A text entry; one that is missing and has no default is reported."""
        return str(self._scalar(entries, key, what, default, (str,), "a text"))

    def flag(self, entries: Mapping[Any, Located], key: str, what: str, *, default: bool) -> bool:
        """A true or false entry."""
        return bool(self._scalar(entries, key, what, default, (bool,), "true or false"))

    def number(self, entries: Mapping[Any, Located], key: str, what: str) -> int | Decimal | None:
        """A number entry, None when it is missing."""
        located = entries.get(key)
        if located is None:
            return None
        if isinstance(located.value, bool) or not isinstance(located.value, int | Decimal):
            self.report(located.line, f"{key} of {what} must be a number.", f"Write a number after `{key}:`.")
            return None
        return located.value

    def texts(self, entries: Mapping[Any, Located], key: str, what: str) -> tuple[str, ...]:
        """A list of texts, empty when it is missing."""
        located = entries.get(key)
        if located is None or located.value is None:
            return ()
        items = located.value if isinstance(located.value, tuple) else None
        if items is None or not all(isinstance(item.value, str) for item in items):
            self.report(located.line, f"{key} of {what} must be a list of texts.", "Write it as [a, b].")
            return ()
        return tuple(item.value for item in items)

    def _scalar(
        self,
        entries: Mapping[Any, Located],
        key: str,
        what: str,
        default: Any,
        types: tuple[type, ...],
        kind: str,
    ) -> Any:
        located = entries.get(key)
        if located is None:
            if default is None:
                self.report(1, f"{_opening(what)} lacks the entry {key}.", f"Add `{key}:` to it.")
            return default if default is not None else ""
        if not isinstance(located.value, types):
            self.report(located.line, f"{key} of {what} must be {kind}.", f"Write {kind} after `{key}:`.")
            return default if default is not None else ""
        return located.value

    def _read(self, path: Path) -> Located | None:
        try:
            if path.stat().st_size > _LARGEST_FILE:
                self.report(1, f"The file is larger than {_LARGEST_FILE} bytes.", "Keep data out of it.")
                return None
            text = path.read_text(encoding="utf-8")
            self._lines = text.splitlines()
            if (trap := _trap(text)) is not None:
                self.report(*trap)
                return None
            node = yaml.compose(text, Loader=_LOADER)
        except yaml.MarkedYAMLError as error:
            mark = error.context_mark or error.problem_mark  # the bracket rather than the end of the file
            self.report(
                min(mark.line + 1, max(len(self._lines), 1)) if mark else 1,
                f"The YAML cannot be read: {error.problem or error.context}.",
                "Correct the indentation, brackets and quotes near that line.",
            )
            return None
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            self.report(1, f"The file cannot be read: {error}.", "Save it as UTF-8 text that you may read.")
            return None
        if node is None:
            self.report(1, "The file is empty.", "Write a table map into it or delete it.")
            return None
        return self._located(node, None)

    def _located(self, node: yaml.Node, key: yaml.Node | None) -> Located:
        line = node.start_mark.line + 1
        return Located(
            value=self._value(node),
            line=line,
            key_line=key.start_mark.line + 1 if key is not None else line,
            comment=self._comment(node, key),
        )

    def _value(self, node: yaml.Node) -> Any:
        if isinstance(node, yaml.MappingNode):
            return dict(self._entries(node))
        if isinstance(node, yaml.SequenceNode):
            return tuple(self._located(item, None) for item in node.value)
        return _scalar(node) if isinstance(node, yaml.ScalarNode) else None

    def _entries(self, node: yaml.MappingNode) -> Iterator[tuple[Any, Located]]:
        seen: set[tuple[type, Any]] = set()
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self.report(line, "A key must be a plain name.", "Write `name: value`.")
                continue
            key = _scalar(key_node)
            if (type(key), key) in seen:
                self.report(line, f"The key {key_node.value} occurs twice.", "Keep one of the two.")
                continue
            seen.add((type(key), key))
            yield key, self._located(value_node, key_node)

    def _comment(self, node: yaml.Node, key: yaml.Node | None) -> str:
        block = isinstance(node, yaml.CollectionNode) and not node.flow_style
        mark = key.end_mark if block and key is not None else node.end_mark
        if mark.line >= len(self._lines):
            return ""
        _, found, comment = self._lines[mark.line][mark.column :].partition("#")
        return comment.strip() if found else ""


def _trap(text: str) -> tuple[int, str, str] | None:
    """Find what makes a small file large or deep, or asks for objects: line, message and remedy.

    Looked for before anything is built: ten aliases of ten aliases of ... fill any memory.

    Raises:
        yaml.YAMLError: The text is no YAML.
    """
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        line = event.start_mark.line + 1 if event.start_mark is not None else 1
        if isinstance(event, yaml.AliasEvent):
            return line, f"An alias (*{event.anchor:.40}) stands here.", "Write out what it stands for."
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag is not None:
            return line, f"A tag ({event.tag:.60}) stands here.", "Write the plain value."
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            return (
                line,
                f"It is nested deeper than {_DEEPEST} levels.",
                "Correct the brackets or indentation.",
            )
    return None


def _opening(what: str) -> str:
    return what[0].upper() + what[1:]


def _scalar(node: yaml.ScalarNode) -> Any:
    text = node.value
    if node.style:  # quoted or block: a text whatever it looks like
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return Decimal(text) if _DECIMAL.fullmatch(text) else text
