"""Vouchers: balanced, with accounts of the setup, rounding told apart from mistakes."""

from decimal import Decimal

import pytest

from sandbox.finance.books import Books
from sandbox.finance.errors import FinanceError
from sandbox.finance.rules.ledger import Entry, post_voucher
from tests.unit.sandbox.finance.rules.accounts import DAY, PROJECT, assert_vouchers_balance, balances, set_up


def pair(amount: str, currency: str, debit: str, credit: str) -> list[Entry]:
    return [
        Entry("ProjectCost", Decimal(amount), currency, Decimal(debit), PROJECT),
        Entry("PayrollAllocation", -Decimal(amount), currency, -Decimal(credit)),
    ]


def test_a_voucher_is_written_with_the_accounts_of_the_setup(books: Books) -> None:
    set_up(books)
    post_voucher(books, "uspm", "V-1", DAY, pair("800", "USD", "800", "800"), "USPM-000041")
    debit, credit = books.find("GeneralJournalAccountEntries", dataAreaId="uspm", Voucher="V-1")
    assert (debit["MainAccountId"], debit["IsCredit"], debit["ProjectId"]) == ("540100", "No", PROJECT)
    assert (credit["MainAccountId"], credit["IsCredit"]) == ("600900", "Yes")
    assert debit["AccountingDate"] == "2026-10-05T12:00:00Z"
    assert credit["TransactionCurrencyAmount"] == Decimal(-800)


def test_rounding_goes_to_the_account_for_penny_differences(books: Books) -> None:
    set_up(books)
    post_voucher(books, "uspm", "V-1", DAY, pair("1000", "GBP", "1271.85", "1271.84"), "X")
    assert balances(books)["PennyDifference"] == Decimal("-0.01")
    assert_vouchers_balance(books)


@pytest.mark.parametrize(
    "entries",
    [
        pair("800", "USD", "800", "799.99"),
        pair("1000", "GBP", "1271.85", "1271.80"),
        [*pair("1000", "GBP", "1271.85", "1271.84"), Entry("CostItem", Decimal(1), "GBP", Decimal(0))],
    ],
    ids=["in the ledger's own currency", "more than rounding", "not even before conversion"],
)
def test_a_voucher_that_does_not_balance_is_refused(books: Books, entries: list[Entry]) -> None:
    set_up(books)
    with pytest.raises(FinanceError, match="V-1 does not balance"):
        post_voucher(books, "uspm", "V-1", DAY, entries, "X")
    assert balances(books) == {}


def test_yen_have_no_coins_below_one(books: Books) -> None:
    set_up(books, company="jppm", currency="JPY")
    post_voucher(books, "jppm", "V-1", DAY, pair("10.01", "USD", "1565", "1564"), "X")
    assert balances(books, "jppm")["PennyDifference"] == -1


def test_a_posting_type_without_an_account_is_told(books: Books) -> None:
    set_up(books)
    missing = books.get("ProjectPostingAccounts", dataAreaId="uspm", PostingType="ProjectCost")
    books.update("ProjectPostingAccounts", missing, {"MainAccountId": ""})
    with pytest.raises(FinanceError, match="USPM has no main account for the posting type ProjectCost"):
        post_voucher(books, "uspm", "V-1", DAY, pair("1", "USD", "1", "1"), "X")
    assert balances(books) == {}


def test_an_entry_may_name_its_own_account(books: Books) -> None:
    set_up(books)
    entries = pair("1", "USD", "1", "1")
    entries[1] = Entry("ExpenseOffset", Decimal(-1), "USD", Decimal(-1), main_account="110110")
    post_voucher(books, "uspm", "V-1", DAY, entries, "X")
    assert books.get("GeneralJournalAccountEntries", Voucher="V-1", LineNumber=2)["MainAccountId"] == "110110"


def test_two_voucher_series_never_share_a_number(books: Books) -> None:
    first, second = books.next_number("uspm", "ExpenseVoucher"), books.next_number("uspm", "VendorVoucher")
    assert (first, second) == ("USPM-EV-000001", "USPM-VV-000001")
    assert books.next_number("uspm", "IntegrationJournal") == "USPM-000001"
