"""What a mapping does in words: whatever changes its meaning changes its words too."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from projops.mapping.fingerprint import fingerprint
from projops.mapping.model import Direction, FieldRule, Leg, Step, System, TableMap
from projops.mapping.operators import operator_names
from projops.mapping.reader import load_maps
from projops.mapping.value_maps import ValueMap
from projops.mapping.wording import (
    evidence_words,
    is_proven,
    leg_words,
    owner_words,
    pairs_words,
    rule_words,
    step_words,
)
from projops.settings import PROJECT_ROOT

LOADED = load_maps(PROJECT_ROOT / "include" / "mappings")
FORTH, BACK = Direction.DATAVERSE_TO_FINANCE, Direction.FINANCE_TO_DATAVERSE


def rule_of(leg: Leg, target: str) -> FieldRule:
    return next(rule for rule in leg.fields if rule.target == target)


WORDS: list[tuple[str, Any, str]] = [
    ("value_map", "no_yes", "by the value map no_yes"),
    ("default", {"from": "product.name"}, "else product.name"),
    ("default", "Tax", "else 'Tax'"),
    ("default", Decimal("1.50"), "else 1.50"),
    ("constant", False, "always false"),
    ("truncate", 60, "cut to 60 characters"),
    ("round", 4, "rounded to 4 decimals"),
    ("date", True, "as a day"),
    ("concat", ("name", "', '", "city"), "joined from name, ', ', city"),
    ("unit", True, "as a unit symbol"),
    ("currency", True, "as an ISO currency code"),
    ("when", "statecode eq 0", "only where statecode eq 0"),
    ("python", "outline_level", "by the function outline_level"),
    ("python", {"function": "f", "columns": ("a", "b")}, "by the function f of a, b"),
]


@pytest.mark.parametrize(("operator", "argument", "words"), WORDS)
def test_each_operator_says_what_it_does(operator: str, argument: Any, words: str) -> None:
    assert step_words(Step(operator, argument, 1)) == words


def test_no_operator_is_without_words() -> None:
    assert {operator for operator, _, _ in WORDS} == set(operator_names())


def test_a_column_says_where_it_comes_from_and_what_it_must_be() -> None:
    leg = LOADED.maps["actuals"].legs[FORTH]
    assert rule_words(rule_of(leg, "TransactionType")) == (
        "from msdyn_transactiontypecode; by the value map transaction_type; "
        "only where msdyn_transactionclassification ne 690970002; else 'Tax'; required"
    )


def test_evidence_names_every_mark_and_what_is_not_proven() -> None:
    leg = LOADED.maps["actuals"].legs[BACK]
    voucher = rule_of(leg, "msdyn_vouchernumber")
    assert voucher.evidence == "DOC; column PROPOSED"
    assert evidence_words(voucher) == "published by Microsoft; no public source, check it on your tenant"
    assert not is_proven(voucher)
    assert is_proven(rule_of(LOADED.maps["actuals"].legs[FORTH], "ActualId"))
    assert not is_proven(replace(voucher, evidence=""))
    assert evidence_words(replace(voucher, evidence="DOCUMENT")) == ""


def test_the_owner_of_a_column_is_its_source_unless_it_is_shared() -> None:
    table_map = LOADED.maps["customers"]
    shared = {finance for finance, _ in table_map.shared_fields()}
    forth = table_map.legs[FORTH]
    said = {rule.target: owner_words(table_map, forth, rule) for rule in forth.fields}
    assert shared
    assert {name for name, words in said.items() if words.startswith("shared")} == shared
    assert all(
        f"{table_map.conflict.capitalize()} wins" in said[name] for name in shared if table_map.conflict
    )
    once = replace(forth.fields[0], create_only=True)
    assert owner_words(table_map, forth, once) == "Finance, once the row is there"
    back = table_map.legs[BACK]
    pairs = {(rule.source, rule.target) for rule in back.fields}
    assert set(table_map.shared_fields()) <= pairs
    assert all(
        owner_words(table_map, back, rule).startswith("shared")
        == ((rule.source, rule.target) in table_map.shared_fields())
        for rule in back.fields
    )


def changes(table_map: TableMap, leg: Leg) -> list[tuple[TableMap, Leg]]:
    """The same leg, each time with another meaning."""
    first, *others = leg.fields
    other = [
        replace(leg, extract=replace(leg.extract, where="statecode eq 7")),
        replace(leg, fields=tuple(others)),
        replace(leg, fields=(replace(first, required=not first.required), *others)),
        replace(leg, fields=(replace(first, create_only=not first.create_only), *others)),
        replace(leg, fields=(replace(first, source="elsewhere"), *others)),
        replace(leg, fields=(replace(first, steps=(*first.steps, Step("truncate", 7, 1))), *others)),
    ]
    whole = [
        replace(table_map, companies=("zzzz",)),
        replace(table_map, finance="Another"),
        replace(table_map, key=table_map.key[:-1]),
    ]
    return [(table_map, each) for each in other] + [(each, leg) for each in whole]


@pytest.mark.parametrize("name", sorted(LOADED.maps))
def test_whatever_changes_the_meaning_changes_one_entry_of_the_words(name: str) -> None:
    table_map = LOADED.maps[name]
    for leg in table_map.legs.values():
        meaning = fingerprint(table_map, leg, LOADED.value_maps)
        words = leg_words(table_map, leg, LOADED.value_maps)
        for other_map, other_leg in changes(table_map, leg):
            assert fingerprint(other_map, other_leg, LOADED.value_maps) != meaning
            said = leg_words(other_map, other_leg, LOADED.value_maps)
            changed = {entry for entry, _ in said.items() ^ words.items()}
            assert len([entry for entry in changed if not entry.startswith("value map ")]) == 1


def test_another_value_in_a_value_map_is_said() -> None:
    table_map = LOADED.maps["actuals"]
    leg = table_map.legs[FORTH]
    old = LOADED.value_maps["billing_type"]
    values = {**LOADED.value_maps, "billing_type": replace(old, to_finance={**old.to_finance, "9": "New"})}
    before, after = leg_words(table_map, leg, LOADED.value_maps), leg_words(table_map, leg, values)
    assert {entry for entry in after if after[entry] != before[entry]} == {"value map billing_type"}
    assert after["value map billing_type"].endswith("9 becomes New")


def test_no_value_is_called_so() -> None:
    value_map = ValueMap("v", {None: "", "1": None}, {"": None}, "f", 1)
    leg = LOADED.maps["actuals"].legs[FORTH]
    assert list(pairs_words(value_map, leg)) == ["no value becomes an empty text", "1 becomes no value"]
    assert leg.direction.target is System.FINANCE
