"""Proposals as a file of expectations, each with its evidence beside it, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from projops.mapping.model import Direction
from projops.validate.profile.proposals import Proposal

_BARE = frozenset({"rule", "leg", "expectation", "severity"})  # words that YAML takes without quotes


def as_yaml(map_id: str, found: Mapping[Direction, Sequence[Proposal]]) -> str:
    """Write proposals in the form of `include/expectations/<map>.yaml`."""
    lines = [f"map: {map_id}"]
    pairs = [(direction, each) for direction, several in found.items() for each in several]
    entries = [line for direction, each in pairs for line in _entry(direction, each)]
    return "\n".join([*lines, "expectations:" if entries else "expectations: []", *entries, ""])


def as_plain(direction: Direction, proposal: Proposal) -> dict[str, Any]:
    """Give a proposal as plain values."""
    each = proposal.expectation
    return {
        "rule": each.rule,
        "leg": direction.value,
        "expectation": each.type,
        "columns": dict(each.columns),
        "options": {name: _plain(value) for name, value in each.options.items()},
        "severity": each.severity.value,
        "message": each.message,
        "evidence": proposal.evidence,
    }


def _entry(direction: Direction, proposal: Proposal) -> Iterator[str]:
    plain = as_plain(direction, proposal)
    yield f"  # {plain.pop('evidence')}"
    stated = {name: value for name, value in plain.items() if value}
    for place, (name, value) in enumerate(stated.items()):
        text = value if name in _BARE else json.dumps(value, ensure_ascii=False)
        yield f"  {'  ' if place else '- '}{name}: {text}"


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
