"""Import from staging: which journal a line goes to, and its voucher."""

from datetime import date
from decimal import Decimal

import pytest

from sandbox.finance.books import Books
from sandbox.finance.errors import FinanceError
from sandbox.finance.rules import staging
from sandbox.rules.days import noon
from sandbox.rules.hooks import Caller
from tests.unit.sandbox.finance.rules.staged import (
    JOURNALS,
    LINES,
    actual,
    connect,
    line_of,
    open_firm,
    run,
    set_up,
)


@pytest.fixture
def firm(books: Books) -> Books:
    return open_firm(books)


def test_r601_cost_and_unbilled_sales_become_a_line_each_and_billed_sales_none(firm: Books) -> None:
    cost, sales = actual(firm, "Cost", "800"), actual(firm, "Sales", "1600")
    actual(firm, "BilledSales", "1600")
    assert run(firm)["lines"] == 2
    assert line_of(firm, cost)["Amount"] == Decimal("800.00")
    assert line_of(firm, sales)["Amount"] == Decimal("1600.00")
    assert run(firm)["lines"] == 0
    state = staging.state_of(firm, "uspm", cost["ActualsImportId"])
    assert state is not None
    assert (state["JournalId"], state["JournalLineNumber"]) == ("USPM-000001", 1)


@pytest.mark.parametrize(
    ("period", "journals"), [("Days", [2, 1, 1, 1]), ("Months", [3, 1, 1]), ("Years", [4, 1]), ("All", [5])]
)
def test_r602_a_journal_holds_the_lines_of_a_period_unit(
    firm: Books, period: str, journals: list[int]
) -> None:
    set_up(firm, "ProjectIntegrationParameters", "uspm", PeriodUnit=period)
    for day in ((2026, 10, 5), (2026, 10, 5), (2026, 10, 6), (2026, 11, 1), (2025, 10, 5)):
        actual(firm, "Cost", "100", DocumentDate=noon(date(*day)))
    assert run(firm)["journals"] == len(journals)
    assert [row["NumberOfLines"] for row in firm.find(JOURNALS)] == journals


def test_r602_a_journal_that_is_being_posted_takes_no_lines(firm: Books) -> None:
    actual(firm, "Cost", "100")
    run(firm)
    firm.update(JOURNALS, firm.get(JOURNALS), {"JournalStatus": "Processing"})
    late = actual(firm, "Cost", "200")
    run(firm)
    assert line_of(firm, late)["JournalId"] == "USPM-000002"


def test_r602_a_draft_of_the_period_takes_the_lines_of_the_next_import(firm: Books) -> None:
    actual(firm, "Cost", "100")
    run(firm)
    late = actual(firm, "Cost", "200")
    assert run(firm)["journals"] == 0
    assert (line_of(firm, late)["JournalId"], line_of(firm, late)["LineNumber"]) == ("USPM-000001", 2)


def test_r603_a_journal_holds_no_more_lines_than_the_parameter_says(firm: Books) -> None:
    set_up(firm, "ProjectIntegrationParameters", "uspm", LinesPerJournal=2)
    for _ in range(5):
        actual(firm, "Cost", "100")
    assert run(firm)["journals"] == 3
    assert [row["NumberOfLines"] for row in firm.find(JOURNALS)] == [2, 2, 1]
    actual(firm, "Cost", "100")
    assert run(firm)["journals"] == 0
    assert [row["NumberOfLines"] for row in firm.find(JOURNALS)] == [2, 2, 2]


def test_r603_the_limit_is_200_where_nobody_set_it(firm: Books) -> None:
    set_up(firm, "ProjectIntegrationParameters", "uspm", LinesPerJournal=0)
    for _ in range(201):
        actual(firm, "Cost", "1")
    run(firm)
    assert [row["NumberOfLines"] for row in firm.find(JOURNALS)] == [200, 1]


def test_r605_each_line_has_a_voucher_and_cost_and_sales_name_each_other(firm: Books) -> None:
    cost, sales = actual(firm, "Cost", "800"), actual(firm, "Sales", "1600")
    connect(firm, sales, cost)
    run(firm)
    first, second = line_of(firm, cost), line_of(firm, sales)
    assert first["Voucher"] != second["Voucher"]
    assert (first["RelatedVoucher"], second["RelatedVoucher"]) == (second["Voucher"], first["Voucher"])


def test_r605_sales_that_come_later_name_the_voucher_of_the_earlier_cost(firm: Books) -> None:
    cost = actual(firm, "Cost", "800")
    run(firm)
    sales = actual(firm, "Sales", "1600")
    connect(firm, sales, cost)
    run(firm)
    first, second = line_of(firm, cost), line_of(firm, sales)
    assert (first["RelatedVoucher"], second["RelatedVoucher"]) == (second["Voucher"], first["Voucher"])


def test_r611_the_next_import_recreates_a_line_that_was_deleted(firm: Books) -> None:
    row = actual(firm, "Cost", "800")
    run(firm)
    deleted = line_of(firm, row)
    firm.delete(LINES, deleted, Caller.USER)
    assert firm.get(JOURNALS)["NumberOfLines"] == 0
    assert run(firm)["lines"] == 1
    again = line_of(firm, row)
    assert (again["JournalId"], again["Amount"]) == (deleted["JournalId"], Decimal("800.00"))
    assert again["Voucher"] != deleted["Voucher"]
    firm.update(LINES, line_of(firm, row), {"LineStatus": "Posted"})
    with pytest.raises(FinanceError, match="can't be changed or deleted"):
        firm.delete(LINES, line_of(firm, row), Caller.USER)
