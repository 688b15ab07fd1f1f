"""Whatever a stage sets a row aside under has a meaning and, but for rules that people write, a remedy."""

from datetime import UTC, datetime
from typing import Any

import pytest

from projops.advice import OWN, advice_for, advice_on
from projops.load.documented_errors import DOCUMENTED
from projops.transform.operators import OPERATORS
from projops.transform.target import _CHECKS
from projops.validate.implied import IMPLIED_RULES

HELD: dict[str, Any] = {"id": 17, "rule": "mass_delete", "status": "awaiting_approval", "stage": "load"}


@pytest.mark.parametrize(
    ("rule", "status", "stage"),
    [
        *((rule, "open", "validate") for rule in sorted(IMPLIED_RULES)),
        *((rule, "open", "transform") for rule in sorted({*OPERATORS, *(name for name, _ in _CHECKS)})),
        *((rule, "open", "load") for rule in DOCUMENTED),
        ("type", "open", "transform"),
        ("python:made_up", "open", "transform"),
        ("R607", "open", "finance"),
        ("finance_job", "open", "finance"),
        ("poison", "open", "extract"),
        ("0x80044331", "open", "load"),
        ("refused", "open", "load"),
        ("no_answer", "open", "load"),
        ("not_at_target", "open", "load"),
        ("former_key_form", "open", "load"),
        ("mass_delete", "awaiting_approval", "load"),
        ("parent_missing", "parked", "load"),
        ("parent_missing", "open", "load"),
        ("parent_key_changed", "open", "load"),
        ("billing_gate", "parked", "load"),
        ("0x80040217", "parked", "load"),
    ],
)
def test_every_rule_of_ours_has_a_meaning_and_a_remedy(rule: str, status: str, stage: str) -> None:
    advice = advice_for(rule, status, stage)
    assert advice.meaning.endswith(".")
    assert advice.remedy.endswith(".")


def test_implied_rules_are_told_by_themselves_and_not_as_somebody_s_own() -> None:
    assert set(OWN) >= IMPLIED_RULES
    assert advice_for("amount", "open", "validate").meaning.startswith(
        "The row breaks a rule that was written"
    )


def test_a_row_that_no_map_brings_is_not_told_to_wait() -> None:
    waits, lacks = (advice_for("parent_missing", status, "load") for status in ("parked", "open"))
    assert waits.remedy.startswith("Nothing: it goes by itself")
    assert lacks.remedy.startswith("Make that row")


def test_commands_name_the_entry() -> None:
    told = advice_on({**HELD, "approved_at": None, "approved_by": None})
    assert "`projops dead-letters approve 17`" in told.remedy
    done = advice_on({**HELD, "approved_at": datetime.now(UTC), "approved_by": "anna"})
    assert (done.meaning, done.remedy) == (
        told.meaning,
        "Nothing: anna has approved it, and it goes with the next run.",
    )
