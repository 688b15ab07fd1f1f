"""What validation asserts of a batch's rows, with how many broke it, as lineage tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from projops.validate.expectations import RowExpectation, Severity

# OpenLineage's words for what Great Expectations names otherwise.
_KINDS = {
    "expect_column_values_to_not_be_null": "not_null",
    "expect_column_values_to_be_in_set": "accepted_values",
    "expect_column_values_to_be_unique": "unique",
}


@dataclass(frozen=True, slots=True)
class Assertion:
    """What was asserted of each row.

    Attributes:
        rule: Id of the rule.
        kind: Class of the test: `not_null`, `accepted_values`, ...
        column: Column that it judges, or None where it judges several.
        message: One sentence: what is wrong where it does not hold, and what to do. No values.
        severity: "error" where a row that breaks it is set aside, "warn" where it goes on.
        broken: Rows that broke it.
    """

    rule: str
    kind: str
    column: str | None
    message: str
    severity: str
    broken: int


def assertions(
    expectations: Sequence[RowExpectation], broken: Mapping[tuple[str, str], int]
) -> tuple[Assertion, ...]:
    """Give what was asserted of a batch, and of each how many rows broke it.

    Args:
        expectations: What must hold of the leg's rows.
        broken: Rows by (rule, field) that broke something.
    """
    return tuple(_assertion(each, broken.get((each.rule, each.field), 0)) for each in expectations)


def _assertion(expectation: RowExpectation, broken: int) -> Assertion:
    column = expectation.columns.get("column")
    return Assertion(
        rule=expectation.rule,
        kind=_KINDS.get(expectation.type, expectation.type.removeprefix("expect_")),
        column=column if isinstance(column, str) and not column.startswith("_") else None,
        message=expectation.message,
        severity="error" if expectation.severity is Severity.ERROR else "warn",
        broken=broken,
    )
