"""A row as people see it among the dead letters: its values as texts, bounded in size.

It holds personal data as the row does: shown only on request, and each time noted in the audit trail.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

_LONGEST_VALUE = 200
_MOST_COLUMNS = 100


def payload_text(values: Mapping[str, Any]) -> str:
    """Write a row as one JSON object, column by column; empty columns are left out.

    Args:
        values: Values by column, or by lookup path. Decimals are written in full, moments and days in
            ISO form, the longest texts cut.
    """
    present = [(name, value) for name, value in values.items() if value is not None]
    texts = {name: _bounded(value_text(value)) for name, value in present[:_MOST_COLUMNS]}
    return json.dumps(texts, ensure_ascii=False)


def payload_values(text: str | None) -> dict[str, str]:
    """Read a payload back; none is an empty one."""
    values: dict[str, str] = json.loads(text) if text else {}
    return values


def value_text(value: object) -> str:
    """Write a value exactly: decimals in full, moments and days in ISO form."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return f"{value:f}"
    isoformat = getattr(value, "isoformat", None)
    return str(isoformat() if isoformat is not None else value)


def _bounded(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"
