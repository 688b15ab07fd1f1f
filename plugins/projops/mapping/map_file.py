"""One table map read from YAML, and everything that is wrong with the form of its file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from projops.mapping.documents import Document, Located
from projops.mapping.findings import Finding
from projops.mapping.model import (
    DeleteLimit,
    Deletes,
    Direction,
    Extract,
    FieldRule,
    Gate,
    KeyPart,
    Leaves,
    Leg,
    Step,
    Strategy,
    System,
    TableMap,
    WriteMode,
)
from projops.mapping.operators import argument_problem, is_operator, operator_names

_MAP_KEYS = frozenset(
    {
        "map",
        "title",
        "version",
        "area",
        "dataverse",
        "finance",
        "key",
        "needs",
        "companies",
        "enabled",
        "legs",
        "conflict",
        "gate",
        "period",
    }
)
_LEG_KEYS = frozenset({"extract", "write", "deletes", "approve_deletes_above", "fields"})
_LIMIT_KEYS = frozenset({"share", "rows"})
_GATE_KEYS = frozenset({"billed_actuals"})
_EXTRACT_KEYS = frozenset({"strategy", "where", "leaves", "also"})
_RULE_KEYS = ("from", "required", "create_only")
_VERSION = re.compile(r"\d{1,9}(\.\d{1,9}){0,7}")
_ID = re.compile(r"[a-z][a-z0-9_]{0,59}")  # it becomes the id of a task, a folder and a key of the state
_Choice = TypeVar("_Choice", bound=StrEnum)


def read_map(path: Path, file: str) -> tuple[TableMap | None, tuple[Finding, ...]]:
    """Read one map.

    Args:
        path: The file.
        file: The same path as messages show it.

    Returns:
        The map and no findings, or None and everything that is wrong with the file's form.
    """
    document = Document(path, file)
    if document.root is None:
        return None, tuple(document.findings)
    entries = document.section(document.root, "a table map", _MAP_KEYS)
    table_map = _table_map(document, entries, file)
    _check_place(document, entries, path)
    return (None, tuple(sorted(document.findings))) if document.findings else (table_map, ())


def _check_place(document: Document, entries: Mapping[str, Located], path: Path) -> None:
    if not _ID.fullmatch(path.stem):
        document.report(
            1,
            f"The map id {path.stem:.80} cannot be the id of a task.",
            "Name file and map with at most 60 small letters, digits and _.",
        )
    for key, expected, what in (("map", path.stem, "file"), ("area", path.parent.name, "folder")):
        located = entries.get(key)
        if located is not None and located.value != expected:
            document.report(
                located.line,
                f"The {what} is named {expected}, but `{key}:` says {located.value}.",
                f"Make `{key}:` and the name of the {what} the same.",
            )


def _table_map(document: Document, entries: Mapping[str, Located], file: str) -> TableMap:
    what = "the map"
    return TableMap(
        map=document.text(entries, "map", what),
        title=document.text(entries, "title", what),
        version=_version(document, entries),
        area=document.text(entries, "area", what),
        dataverse=document.text(entries, "dataverse", what),
        finance=document.text(entries, "finance", what),
        key=_key(document, entries.get("key")),
        needs=document.texts(entries, "needs", what),
        companies=_companies(document, entries),
        enabled=document.flag(entries, "enabled", what, default=True),
        legs=_legs(document, entries.get("legs")),
        conflict=_choice(document, entries, "conflict", System, None, what),
        file=file,
        lines=_line_numbers(entries),
        gate=_gate(document, entries.get("gate")),
        period=document.texts(entries, "period", what),
    )


def _line_numbers(entries: Mapping[str, Located]) -> Mapping[str, int]:
    lines = {name: located.key_line for name, located in entries.items()}
    for name in ("key", "legs"):
        parts = entries[name].value if name in entries else None
        if isinstance(parts, dict):
            lines |= {f"{name}.{part}": located.key_line for part, located in parts.items()}
    return MappingProxyType(lines)


def _version(document: Document, entries: Mapping[str, Located]) -> str:
    located = entries.get("version")
    text = str(located.value) if located is not None else document.text(entries, "version", "the map")
    if located is not None and not _VERSION.fullmatch(text):
        document.report(
            located.line, f"The version {text:.40} is not dotted numbers.", "Write it like 1.0.0.22."
        )
    return text


def _companies(document: Document, entries: Mapping[str, Located]) -> tuple[str, ...] | None:
    located = entries.get("companies")
    if located is None or located.value == "all":
        return None
    return tuple(code.lower() for code in document.texts(entries, "companies", "the map"))


def _key(document: Document, located: Located | None) -> tuple[KeyPart, ...]:
    parts = document.section(located, "key")
    if not parts:
        line = located.line if located is not None else 1
        document.report(
            line, "The map has no key.", "Write `key:` with `Finance field: Dataverse path` pairs."
        )
    for field, part in parts.items():
        if not isinstance(part.value, str):
            document.report(
                part.line, f"The key field {field} names no Dataverse path.", "Write a column or path."
            )
    return tuple(KeyPart(str(field), str(part.value)) for field, part in parts.items())


def _gate(document: Document, located: Located | None) -> Gate | None:
    if located is None:
        return None
    entries = document.section(located, "gate", _GATE_KEYS)
    return Gate(document.text(entries, "billed_actuals", "gate"))


def _legs(document: Document, located: Located | None) -> Mapping[Direction, Leg]:
    allowed = frozenset(str(direction) for direction in Direction)
    legs = document.section(located, "legs", allowed)
    if not legs:
        line = located.line if located is not None else 1
        document.report(
            line, "The map has no legs.", f"Write `legs:` with one of {', '.join(sorted(allowed))}."
        )
    return MappingProxyType(
        {
            Direction(name): _leg(document, Direction(name), leg)
            for name, leg in legs.items()
            if name in allowed
        }
    )


def _leg(document: Document, direction: Direction, located: Located) -> Leg:
    what = f"the leg {direction}"
    entries = document.section(located, what, _LEG_KEYS)
    fields = document.section(entries.get("fields"), f"fields of {what}")
    return Leg(
        direction=direction,
        extract=_extract(document, entries.get("extract"), located.key_line),
        write=_choice(document, entries, "write", WriteMode, WriteMode.UPSERT, what) or WriteMode.UPSERT,
        deletes=_choice(document, entries, "deletes", Deletes, Deletes.IGNORE, what) or Deletes.IGNORE,
        fields=tuple(_rule(document, str(target), field) for target, field in fields.items()),
        line=located.key_line,
        approve_deletes_above=_delete_limit(document, entries.get("approve_deletes_above"), what),
    )


def _delete_limit(document: Document, located: Located | None, what: str) -> DeleteLimit:
    if located is None:
        return DeleteLimit()
    name = f"approve_deletes_above of {what}"
    entries = document.section(located, name, _LIMIT_KEYS)
    if not entries:
        document.report(located.line, f"{name} is empty.", "Write {share: 0.05, rows: 100}, or one of them.")
    share = document.number(entries, "share", name)
    rows = document.number(entries, "rows", name)
    if share is not None and not 0 <= share <= 1:
        document.report(entries["share"].line, f"share of {name} is {share}.", "Write a share from 0 to 1.")
    if rows is not None and (rows < 0 or rows != int(rows)):
        document.report(entries["rows"].line, f"rows of {name} is {rows}.", "Write a number of rows.")
    return DeleteLimit(None if share is None else float(share), None if rows is None else int(rows))


def _extract(document: Document, located: Located | None, leg_line: int) -> Extract:
    if located is None:
        document.report(leg_line, "The leg lacks the entry extract.", "Write `extract: {strategy: ...}`.")
        return Extract(Strategy.SNAPSHOT)
    entries = document.section(located, "extract", _EXTRACT_KEYS)
    if "strategy" not in entries:
        document.report(located.line, "extract lacks the entry strategy.", "Name one of the strategies.")
    strategy = _choice(document, entries, "strategy", Strategy, Strategy.SNAPSHOT, "extract")
    where = document.text(entries, "where", "extract", "")
    problem = argument_problem("when", where) if where else None
    if problem:
        document.report(entries["where"].line, f"`where` {problem}", "Correct the condition.")
    leaves = _choice(document, entries, "leaves", Leaves, Leaves.KEEP, "extract")
    also = document.texts(entries, "also", "extract")
    return Extract(strategy or Strategy.SNAPSHOT, where or None, leaves or Leaves.KEEP, also)


def _choice(
    document: Document,
    entries: Mapping[str, Located],
    key: str,
    choices: type[_Choice],
    default: _Choice | None,
    what: str,
) -> _Choice | None:
    located = entries.get(key)
    if located is None:
        return default
    if located.value in {str(choice) for choice in choices}:
        return choices(located.value)
    document.report(
        located.line,
        f"{key} of {what} cannot be {located.value}.",
        f"Use one of: {', '.join(str(choice) for choice in choices)}.",
    )
    return default


def _rule(document: Document, target: str, located: Located) -> FieldRule:
    what = f"the field {target}"
    entries = document.section(located, what)
    steps = tuple(
        step
        for name, each in entries.items()
        if name not in _RULE_KEYS
        for step in _step(document, target, name, each)
    )
    return FieldRule(
        target=target,
        source=document.text(entries, "from", what) if "from" in entries else None,
        required=document.flag(entries, "required", what, default=False),
        steps=steps,
        evidence=located.comment,
        line=located.key_line,
        create_only=document.flag(entries, "create_only", what, default=False),
    )


def _step(document: Document, target: str, name: Any, located: Located) -> tuple[Step, ...]:
    if not is_operator(name):
        known = ", ".join((*_RULE_KEYS, *operator_names()))
        document.report(
            located.key_line, f"The field {target} has the unknown operator {name}.", f"Use one of: {known}."
        )
        return ()
    argument = located.plain()
    problem = argument_problem(name, argument)
    if problem:
        document.report(located.line, f"{name} of the field {target} {problem}.", "Correct its argument.")
        return ()
    return (Step(name, argument, located.line),)
