"""The rules on books of some rows: what each lets pass, and why."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from projops.mapping.catalog import arrow_type
from projops.reconcile.accounting.books import ACTUAL, BOOKS, CLEARING
from projops.reconcile.accounting.check import confirmed
from projops.reconcile.accounting.clearing import clearing
from projops.reconcile.accounting.reading import open_books
from projops.reconcile.accounting.rules import RULES, VIEWS, scoping
from projops.reconcile.model import Invariant, Scope

A, B = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
OCTOBER, NOVEMBER = date(2026, 10, 12), date(2026, 11, 2)
UNTIL_OCTOBER = Scope(since=date(2026, 10, 1), until=date(2026, 10, 31))
Row = Mapping[str, Any]


class Ledger:
    """Books that a test writes itself."""

    def __init__(self, books: duckdb.DuckDBPyConnection, scope: Scope) -> None:
        self.books = books
        books.execute(scoping(scope))
        for book in BOOKS:
            kinds = {
                name: _SQL[str(arrow_type(book.table.columns[field]))] for name, field in book.columns.items()
            }
            _create(books, book.name, kinds)
        _create(books, "actual", {"id": "VARCHAR", "day": "DATE"} | dict.fromkeys(ACTUAL, "VARCHAR"))
        books.execute(VIEWS)

    def add(self, table: str, *rows: Row) -> None:
        for row in rows:
            values = {"company": "uspm", **row}
            columns, marks = ", ".join(values), ", ".join("?" for _ in values)
            self.books.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", list(values.values()))

    def broken(self, name: str) -> list[tuple[str, bool]]:
        """Give what breaks a rule, or waits: the thing, and whether it merely waits."""
        [rule] = [each for each in RULES if each.name == name]
        rows = self.books.execute(f"SELECT subject, pending FROM ({rule.query}) ORDER BY ALL").fetchall()
        return [(subject, pending) for subject, pending in rows]

    def account(self, name: str = "clearing_expense") -> Invariant:
        [found] = [each for each in clearing(self.books, ["uspm"]) if each.name == name]
        return found


_SQL = {
    "string": "VARCHAR",
    "date32[day]": "DATE",
    "int64": "BIGINT",
    "decimal128(38, 16)": "DECIMAL(38, 16)",
    "timestamp[us, tz=UTC]": "TIMESTAMPTZ",
}


def _create(books: duckdb.DuckDBPyConnection, name: str, kinds: Mapping[str, str]) -> None:
    columns = ", ".join(f"{column} {kind}" for column, kind in {"company": "VARCHAR", **kinds}.items())
    books.execute(f"CREATE TABLE {name} ({columns})")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_books(tmp_path) as books:
        yield Ledger(books, Scope())


@pytest.fixture
def october(tmp_path: Path) -> Iterator[Ledger]:
    with open_books(tmp_path) as books:
        yield Ledger(books, UNTIL_OCTOBER)


STAGED: Row = {"actual": A, "type": "Cost", "journalised": "No", "accounting_day": OCTOBER}
WORKED: Row = {"actual": A, "processed": "Yes", "duplicate": "No", "invalid": "No"}


def test_r601_a_processed_actual_without_a_line_is_a_breach(ledger: Ledger) -> None:
    ledger.add("staged", STAGED)
    ledger.add("state", WORKED)
    assert ledger.broken("actuals_journalised") == [(f"actual {A}", False)]
    ledger.add("line", {"actual": A, "status": "Draft"})
    assert ledger.broken("actuals_journalised") == []


@pytest.mark.parametrize(
    "exempt",
    [
        {"origin": "EXP-1"},  # R505: its cost is posted already
        {"project_company": "USPM", "resourcing_company": "GBPM"},  # R1203: the lender's invoice books it
        {"journalised": "Yes"},  # R601: before the integration began
        {"type": "Tax"},
        {"type": "BilledSales"},
    ],
)
def test_an_actual_that_needs_no_line_is_none(ledger: Ledger, exempt: Row) -> None:
    ledger.add("staged", {**STAGED, **exempt})
    ledger.add("state", WORKED)
    assert ledger.broken("actuals_journalised") == []


def test_sales_are_not_exempt_where_costs_are(ledger: Ledger) -> None:
    ledger.add("staged", {**STAGED, "type": "Sales", "origin": "EXP-1"})
    ledger.add("state", WORKED)
    assert ledger.broken("actuals_journalised") == [(f"actual {A}", False)]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"processed": "No"}, [(f"actual {A}", True)]),
        ({"processed": "No", "invalid": "Yes"}, [(f"actual {A}", True)]),  # R612
        ({"processed": "No", "duplicate": "Yes"}, []),
    ],
)
def test_what_waits_in_staging_is_no_breach(ledger: Ledger, state: Row, expected: Sequence[object]) -> None:
    ledger.add("staged", STAGED)
    ledger.add("state", {**WORKED, **state})
    assert ledger.broken("actuals_journalised") == expected


def test_r607_the_reason_of_finance_is_told_with_what_waits(ledger: Ledger) -> None:
    ledger.add("staged", STAGED)
    ledger.add("message", {"actual": A, "reason": "No exchange rate of SEK.", "resolved": "No"})
    ledger.add("message", {"actual": A, "reason": "Of yesterday.", "resolved": "Yes"})
    [rule] = [each for each in RULES if each.name == "actuals_journalised"]
    [message] = ledger.books.execute(f"SELECT message FROM ({rule.query})").fetchall()
    assert message == ("Waits in staging: No exchange rate of SEK.",)
    assert ledger.broken("messages_resolved") == []


COST: Row = {
    "journal": "J1",
    "number": 1,
    "actual": A,
    "type": "Cost",
    "status": "Posted",
    "voucher": "V1",
    "accounting_amount": Decimal(800),
    "day": OCTOBER,
}


def test_r703_costs_book_entries_and_sales_need_not(ledger: Ledger) -> None:
    cost = {**COST, "actual": None}
    ledger.add("line", cost, {**cost, "number": 2, "type": "Sales", "voucher": "V2"})
    assert ledger.broken("vouchers_booked") == [("journal J1 line 1", False)]
    ledger.add("entry", {"voucher": "V1"})
    assert ledger.broken("vouchers_booked") == []
    ledger.add("line", {**cost, "number": 3, "voucher": "V3", "accounting_amount": Decimal(0)})
    assert ledger.broken("vouchers_booked") == []
    ledger.add("line", {**cost, "number": 4, "voucher": None})
    assert ledger.broken("vouchers_booked") == [("journal J1 line 4", False)]


def test_what_was_posted_without_an_actual_in_staging_and_dataverse_is_a_breach_once(ledger: Ledger) -> None:
    ledger.add("line", COST)
    ledger.add("entry", {"voucher": "V1"})
    assert ledger.broken("vouchers_booked") == [(f"actual {A}", False)]
    ledger.add("actual", {"id": B, "actual": A, "skips_sync": "false"})
    assert ledger.broken("vouchers_booked") == []
    assert ledger.broken("actuals_staged") == [(f"actual {B}", False)]


def test_r613_an_extra_line_of_a_fee_has_no_actual_that_could_have_its_voucher(ledger: Ledger) -> None:
    ledger.add("line", {**COST, "actual": None})
    ledger.add("entry", {"voucher": "V1"})
    for name in ("vouchers_booked", "vouchers_returned"):
        assert ledger.broken(name) == []


def test_r704_a_voucher_that_dataverse_does_not_have_is_a_breach_unless_it_is_on_its_way(
    ledger: Ledger,
) -> None:
    ledger.add("line", COST)
    ledger.add("staged", {**STAGED, "voucher": "V1"})
    ledger.add("actual", {"id": B, "actual": A, "voucher": None})
    assert ledger.broken("vouchers_returned") == [(f"actual {A}", False)]
    ledger.add("to_return", {"actual": A, "reason": "no run has moved it yet."})
    assert ledger.broken("vouchers_returned") == [(f"actual {A}", True)]


def test_r501_what_skips_the_sync_is_not_missed_in_staging(ledger: Ledger) -> None:
    ledger.add("actual", {"id": B, "actual": A, "skips_sync": "true"})
    assert ledger.broken("actuals_staged") == []
    ledger.add("actual", {"id": A, "actual": B, "skips_sync": "false"})
    assert ledger.broken("actuals_staged") == [(f"actual {A}", False)]
    ledger.add("staged", {**STAGED, "actual": B})
    assert ledger.broken("actuals_staged") == []


def test_billed_sales_with_a_line_for_work_and_one_for_its_fee_are_on_an_invoice_once(ledger: Ledger) -> None:
    ledger.add("staged", {**STAGED, "type": "BilledSales", "proposal": "INV-1"})
    ledger.add("proposal", {"number": "inv-1", "status": "Posted", "day": OCTOBER})
    for number in (1, 2):
        ledger.add("proposal_line", {"proposal": "INV-1", "number": number, "actual": A})
    ledger.add("invoice", {"number": "C1", "proposal": "INV-1", "voucher": "V9"})
    assert ledger.broken("billed_invoiced") == []
    assert ledger.broken("vouchers_booked") == [(f"actual {A}", False)]  # staging lacks V9


def test_a_voucher_of_another_month_is_not_judged(october: Ledger) -> None:
    october.add("entry", {"voucher": "V1", "day": NOVEMBER, "accounting_amount": Decimal("0.01")})
    assert october.broken("debits_equal_credits") == []
    october.add("entry", {"voucher": "V2", "day": OCTOBER, "accounting_amount": Decimal("0.01")})
    assert october.broken("debits_equal_credits") == [("voucher V2", False)]


def posted(amount: int, day: date = OCTOBER, currency: str = "USD", rate: int = 1) -> Row:
    return {
        "posting_type": CLEARING["clearing_expense"],
        "voucher": "V1",
        "day": day,
        "currency": currency,
        "amount": Decimal(amount),
        "accounting_amount": Decimal(amount * rate),
    }


def spent(number: str, amount: int, **facts: Any) -> Row:
    expense = {"number": number, "amount": Decimal(amount), "currency": "USD", "day": OCTOBER, "booked": 0}
    return {**expense, **facts}


def taken_off(number: str, amount: int) -> Row:
    facts = {"origin": number, "offset_type": "ExpenseIntegration", "currency": "USD", "status": "Posted"}
    return {**facts, "amount": Decimal(amount), "day": OCTOBER}


def test_r903_an_account_at_zero_holds(ledger: Ledger) -> None:
    assert ledger.account().holds
    ledger.add("entry", posted(120), posted(-120))
    assert (ledger.account().holds, ledger.account().pending) == (True, False)


def test_a_balance_that_documents_explain_to_the_last_digit_waits(ledger: Ledger) -> None:
    ledger.add("entry", posted(120), posted(80), posted(10, currency="EUR", rate=2), posted(-20))
    ledger.add("expense", spent("E1", 120), spent("E2", 80), spent("E3", 10, currency="EUR"))
    ledger.add("line", taken_off("e2", 20))
    account = ledger.account()
    assert (account.holds, account.pending) == (True, True)
    assert account.message.startswith("It stands at 200 in the accounting currency. E1, E2, E3 have not come")


def test_a_balance_that_they_explain_in_part_is_broken(ledger: Ledger) -> None:
    ledger.add("entry", posted(120), posted(1))
    ledger.add("expense", spent("E1", 120))
    account = ledger.account()
    assert not account.holds
    assert "E1 has not come back, which explains a part at most." in account.message


def test_one_that_nothing_explains_is_broken(ledger: Ledger) -> None:
    ledger.add("entry", posted(-5))
    ledger.add("expense", spent("E1", 5, booked=1))  # R505: booked as project cost, not on the account
    account = ledger.account()
    assert not account.holds
    assert account.message == (
        "It stands at -5 in the accounting currency. No document that waits explains it: see the entries of "
        "the account in Finance."
    )


def test_documents_of_equal_amounts_in_other_currencies_explain_nothing(ledger: Ledger) -> None:
    ledger.add("entry", posted(10))
    ledger.add("expense", spent("E1", 10, currency="EUR"))
    assert not ledger.account().holds


def test_r905_an_expense_stands_on_the_account_of_the_company_that_paid(ledger: Ledger) -> None:
    ledger.add("entry", posted(10))
    ledger.add("expense", spent("E1", 10, company="gbpm", paid_by="USPM"))
    assert ledger.account().pending


def test_a_balance_is_that_of_the_end_of_the_period_from_the_beginning_of_all_books(october: Ledger) -> None:
    october.add("entry", posted(7, date(2026, 8, 1)), posted(-7, NOVEMBER))
    assert "It stands at 7 " in october.account().message


def test_r1002_procurement_has_an_account_of_its_own(ledger: Ledger) -> None:
    ledger.add("entry", {**posted(9), "posting_type": CLEARING["clearing_procurement"]})
    ledger.add("purchase", spent("P1", 9))
    assert ledger.account().holds
    assert not ledger.account().pending
    assert ledger.account("clearing_procurement").pending


def test_a_breach_is_told_when_it_is_there_twice_and_the_same() -> None:
    holds = Invariant("lines_posted", "uspm", True, False, "", "Each is posted.")
    breach = Invariant("debits_equal_credits", "uspm", False, False, "voucher V1", "Differs by 1.")
    other = Invariant("debits_equal_credits", "uspm", False, False, "voucher V2", "Differs by 2.")
    assert confirmed([breach, holds], [breach, holds]) == (breach, holds)
    assert confirmed([breach], [holds]) == (holds,)
    [late] = confirmed([breach], [other])
    assert (late.subject, late.holds, late.pending) == ("voucher V2", True, True)
    assert "the next check tells whether it stays" in late.message
