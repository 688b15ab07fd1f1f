"""Value maps: what an option, a truth value or a text of one system is on the other.

A file of `include/mappings/_shared/` holds one:

    value_map: project_stage
    values:                  # Dataverse: Finance
      0: InProcess
      1: Completed
    to_dataverse:            # only where two lines of `values` share a Finance value
      Completed: 1

A `null` on either side stands for no value. Values are held as text in one form for both systems
(`192350000`, `true`, `InProcess`), so that whole columns are looked up after one cast.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from projops.mapping.documents import Document, Located
from projops.mapping.findings import Finding
from projops.mapping.model import Direction, System

_KEYS = frozenset({"value_map", "title", "values", "to_dataverse"})


@dataclass(frozen=True, slots=True)
class ValueMap:
    """One value map.

    Attributes:
        name: Its id, and the name of its file.
        to_finance: Finance value by Dataverse value; None on either side stands for no value.
        to_dataverse: Dataverse value by Finance value.
        file: Path of its file, for messages.
        line: Line of its first value.
    """

    name: str
    to_finance: Mapping[str | None, str | None]
    to_dataverse: Mapping[str | None, str | None]
    file: str
    line: int

    def towards(self, direction: Direction) -> Mapping[str | None, str | None]:
        """The pairs in the direction of a leg, by source value."""
        return self.to_finance if direction.target is System.FINANCE else self.to_dataverse


def value_text(value: Any) -> str | None:
    """The one textual form of a value: `true` and `false` in lower case, None for no value."""
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def read_value_map(path: Path, file: str) -> tuple[ValueMap | None, tuple[Finding, ...]]:
    """Read one value map; None when something is wrong with it."""
    document = Document(path, file)
    entries = document.section(document.root, "a value map", _KEYS)
    if document.root is None:
        return None, tuple(document.findings)
    name = document.text(entries, "value_map", "the value map")
    if name and name != path.stem:
        document.report(
            entries["value_map"].line,
            f"The value map {name} stands in {path.name}.",
            f"Rename the file to {name}.yaml or the value map to {path.stem}.",
        )
    values = document.section(entries.get("values"), "values")
    if not values:
        document.report(
            1, f"The value map {name} has no values.", "List `Dataverse value: Finance value` pairs."
        )
    forth = {value_text(key): value_text(located.plain()) for key, located in values.items()}
    back = _backwards(document, values, document.section(entries.get("to_dataverse"), "to_dataverse"))
    if document.findings:
        return None, tuple(document.findings)
    line = min(located.key_line for located in values.values())
    return ValueMap(name, MappingProxyType(forth), MappingProxyType(back), file, line), ()


def _backwards(
    document: Document, values: Mapping[Any, Located], named: Mapping[Any, Located]
) -> dict[str | None, str | None]:
    back = {value_text(key): value_text(located.plain()) for key, located in named.items()}
    chosen = set(back)
    for key, located in values.items():
        value = value_text(located.plain())
        if value in chosen:
            continue
        if value in back:
            document.report(
                located.line,
                f"Two Dataverse values become {value}, so its way back is not clear.",
                f"Say which under `to_dataverse:`, as `{value}: {value_text(key)}`.",
            )
        back[value] = value_text(key)
    return back
