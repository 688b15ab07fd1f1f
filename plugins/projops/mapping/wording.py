"""What a mapping does, in words: of one step, of one column, and of a leg whole.

For people who read a page, not for those who write YAML; `description` gives the form of the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from projops.mapping.description import value_shown
from projops.mapping.model import FieldRule, Leg, Step, System, TableMap
from projops.mapping.operators import function_name, step_columns
from projops.mapping.value_maps import ValueMap

_EVIDENCE = {
    "DOC": "published by Microsoft",
    "SHOT": "published by Microsoft, in a picture",
    "META": "public metadata of an environment",
    "LEGACY": "Data Integrator template, which came before",
    "INF": "inferred, check it on your tenant",
    "PROPOSED": "no public source, check it on your tenant",
}
_MARKS = re.compile(rf"\b(?:{'|'.join(_EVIDENCE)})\b")
_UNPROVEN = {"INF", "PROPOSED"}


def step_words(step: Step) -> str:
    """Say what one mapping operator does to the value that it is given."""
    return _STEPS[step.operator](step)


def rule_words(rule: FieldRule) -> str:
    """Say how one target column comes about: its source, what is done to it, and what it must be."""
    parts = [] if rule.source is None else [f"from {rule.source}"]
    parts += [step_words(step) for step in rule.steps]
    parts += ["required"] if rule.required else []
    parts += ["written when the row is created, and never again"] if rule.create_only else []
    return "; ".join(parts)


def owner_words(table_map: TableMap, leg: Leg, rule: FieldRule) -> str:
    """Say which side decides what a target column holds."""
    end = (rule.target, rule.source)
    pair = end if leg.direction.target is System.FINANCE else end[::-1]
    if rule.create_only:
        return f"{leg.direction.target.capitalize()}, once the row is there"
    if pair not in table_map.shared_fields():
        return leg.direction.source.capitalize()
    winner = table_map.conflict.capitalize() if table_map.conflict else "none"
    return f"shared; where both changed it, {winner} wins"


def evidence_words(rule: FieldRule) -> str:
    """Say from where a field row is known, by the marks of its comment; "" where it has none."""
    return "; ".join(_EVIDENCE[mark] for mark in dict.fromkeys(_MARKS.findall(rule.evidence)))


def is_proven(rule: FieldRule) -> bool:
    """Whether a public source tells of a field row, so that no tenant has to be asked."""
    marks = set(_MARKS.findall(rule.evidence))
    return bool(marks) and not marks & _UNPROVEN


def leg_words(table_map: TableMap, leg: Leg, value_maps: Mapping[str, ValueMap]) -> dict[str, str]:
    """Say all that a leg's fingerprint stands for, entry by entry.

    Returns:
        Words by entry: `tables`, `key`, `companies`, `where`, `column X` for each target column, and
        `value map Y` for each value map that they use, in that order.
    """
    used = {
        step.argument
        for rule in leg.fields
        for step in rule.steps
        if step.operator == "value_map" and step.argument in value_maps
    }
    companies = table_map.companies
    return {
        "tables": f"{table_map.dataverse} and {table_map.finance}",
        "key": ", ".join(f"{part.finance} is {part.dataverse}" for part in table_map.key),
        "companies": "all" if companies is None else ", ".join(sorted(companies)),
        "where": leg.extract.where or "all rows",
        **{f"column {rule.target}": rule_words(rule) for rule in leg.fields},
        **{f"value map {name}": "; ".join(pairs_words(value_maps[name], leg)) for name in sorted(used)},
    }


def pairs_words(value_map: ValueMap, leg: Leg) -> Iterator[str]:
    """Say what each value of a value map becomes in the direction of a leg."""
    for source, target in value_map.towards(leg.direction).items():
        yield f"{_value(source)} becomes {_value(target)}"


def _value(text: str | None) -> str:
    return "no value" if text is None else text or "an empty text"


def _default(step: Step) -> str:
    other = step_columns(step)
    return f"else {other[0]}" if other else f"else {_literal(step.argument)}"


def _python(step: Step) -> str:
    columns = step_columns(step)
    return f"by the function {function_name(step)}{' of ' if columns else ''}{', '.join(columns)}"


def _literal(argument: Any) -> str:
    return repr(argument) if isinstance(argument, str) else value_shown(argument)


_STEPS: Mapping[str, Callable[[Step], str]] = {
    "value_map": lambda step: f"by the value map {step.argument}",
    "default": _default,
    "constant": lambda step: f"always {_literal(step.argument)}",
    "truncate": lambda step: f"cut to {step.argument} characters",
    "round": lambda step: f"rounded to {step.argument} decimals",
    "date": lambda _: "as a day",
    "concat": lambda step: f"joined from {', '.join(step.argument)}",
    "unit": lambda _: "as a unit symbol",
    "currency": lambda _: "as an ISO currency code",
    "when": lambda step: f"only where {step.argument}",
    "python": _python,
}
