"""Accounting dates against fiscal periods."""

from datetime import date

import pytest

from sandbox.finance.books import Books
from sandbox.finance.rules.periods import PeriodClosedError, accounting_date
from sandbox.rules.days import noon

MONTHS = {"1": ("Open", 31), "2": ("Closed", 28), "3": ("OnHold", 31), "4": ("Open", 30)}


def months(books: Books, moves: bool, **statuses: str) -> None:
    books.insert(
        "ProjectParametersV2",
        {"dataAreaId": "uspm", "IsAccountingDateUpdateAllowed": "Yes" if moves else "No"},
    )
    for month, (status, last) in MONTHS.items():
        values = {
            "dataAreaId": "uspm",
            "FiscalYear": "2026",
            "PeriodName": f"Period {month}",
            "StartDate": noon(date(2026, int(month), 1)),
            "EndDate": noon(date(2026, int(month), last)),
            "PeriodStatus": statuses.get(f"month_{month}", status),
        }
        books.insert("LedgerFiscalPeriods", values)


@pytest.mark.parametrize("day", [date(2026, 1, 1), date(2026, 1, 31), date(2026, 4, 15)])
def test_r604_a_day_of_an_open_period_is_its_own_accounting_date(books: Books, day: date) -> None:
    months(books, moves=True)
    assert accounting_date(books, "USPM", day) == day


@pytest.mark.parametrize("day", [date(2026, 2, 1), date(2026, 2, 28), date(2026, 3, 31), date(2025, 12, 31)])
def test_r604_a_day_of_a_closed_period_moves_to_the_next_open_one(books: Books, day: date) -> None:
    months(books, moves=True)
    assert accounting_date(books, "USPM", day) == date(2026, 1 if day.year == 2025 else 4, 1)


def test_r604_e12_a_closed_period_where_days_do_not_move(books: Books) -> None:
    months(books, moves=False)
    with pytest.raises(PeriodClosedError, match=r" 2/10/2026 in company USPM") as refused:
        accounting_date(books, "uspm", date(2026, 2, 10))
    assert refused.value.error_id == "E12"


def test_r604_e13_no_open_period_in_or_after_the_day(books: Books) -> None:
    months(books, moves=True, month_4="Closed")
    with pytest.raises(PeriodClosedError, match=r"in or after the accounting date 2/10/2026") as refused:
        accounting_date(books, "uspm", date(2026, 2, 10))
    assert refused.value.error_id == "E13"


def test_r604_periods_of_another_company_do_not_count(books: Books) -> None:
    months(books, moves=True)
    with pytest.raises(PeriodClosedError, match="GBPM"):
        accounting_date(books, "GBPM", date(2026, 1, 10))
