"""The general ledger: vouchers whose debits equal their credits."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.errors import VALIDATION_ERROR, FinanceError
from sandbox.finance.rules.exchange import accounting_currency
from sandbox.rules.days import noon
from sandbox.rules.hooks import Change, Verb, complete
from sandbox.rules.money import decimals
from sandbox.store.defaults import ZERO_GUID
from sandbox.store.types import instant_text

PENNY_DIFFERENCE = "PennyDifference"
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a voucher.

    Attributes:
        posting_type: Symbol of ProjLedgerPostingType; the setup turns it into a main account.
        amount: In the transaction currency; a debit is positive, a credit negative.
        currency: The transaction currency.
        accounting_amount: The same in the accounting currency, rounded to its coins.
        project: Project, or "".
        dimension: Financial dimensions as Finance displays them, or "".
        actual: Import id of the actual that it comes from.
        text: What it is for.
        main_account: Where given, booked to instead of the account of the setup.
    """

    posting_type: str
    amount: Decimal
    currency: str
    accounting_amount: Decimal
    project: str = ""
    dimension: str = ""
    actual: str = ZERO_GUID
    text: str = ""
    main_account: str = ""


@dataclass(frozen=True, slots=True)
class Ledger:
    """A company's ledger as vouchers need it.

    Attributes:
        company: Legal entity.
        currency: Accounting currency.
        accounts: Main account by posting type; a type that has none is missing.
    """

    company: str
    currency: str
    accounts: Mapping[str, str]


def read_ledger(books: Books, company: str) -> Ledger:
    """Return the ledger of a company with its posting setup.

    Raises:
        FinanceError: The company has no ledger.
    """
    rows = books.find("ProjectPostingAccounts", dataAreaId=company)
    accounts = {str(row["PostingType"]): str(row["MainAccountId"]) for row in rows if row["MainAccountId"]}
    return Ledger(company, accounting_currency(books, company), accounts)


def post_voucher(
    books: Books, company: str, voucher: str, day: date, entries: Sequence[Entry], document: str
) -> None:
    """Write a voucher of a company; see `write_voucher`.

    Raises:
        FinanceError: As there.
    """
    write_voucher(books, read_ledger(books, company), voucher, day, entries, document)


def write_voucher(
    books: Books, ledger: Ledger, voucher: str, day: date, entries: Sequence[Entry], document: str
) -> None:
    """Write a voucher to GeneralJournalAccountEntries; entries of nothing are left out.

    What rounding into the accounting currency leaves over goes to the account for penny differences,
    in one entry a voucher.

    Args:
        books: Of the transaction.
        ledger: Where it is written.
        voucher: Its number.
        day: Accounting date.
        entries: Debits and credits.
        document: Number of the journal, invoice or receipt that is posted.

    Raises:
        FinanceError: Debits and credits differ by more than rounding, or a posting type has no main
            account; nothing is written then.
    """
    booked = [entry for entry in entries if entry.amount or entry.accounting_amount]
    booked += _penny_difference(booked, ledger.currency, voucher)
    _require_accounts(ledger, booked)
    common = {
        "dataAreaId": ledger.company,
        "Voucher": voucher,
        "AccountingDate": noon(day),
        "DocumentNumber": document,
        "CreatedDateTime": instant_text(books.now),
    }
    rows = [
        {**common, "LineNumber": number, **_values(ledger, entry)}
        for number, entry in enumerate(booked, start=1)
    ]
    books.insert_many("GeneralJournalAccountEntries", rows)


def _values(ledger: Ledger, entry: Entry) -> dict[str, Any]:
    return {
        "MainAccountId": entry.main_account or ledger.accounts[entry.posting_type],
        "PostingType": entry.posting_type,
        "TransactionCurrencyCode": entry.currency,
        "TransactionCurrencyAmount": entry.amount,
        "AccountingCurrencyAmount": entry.accounting_amount,
        "ExchangeRate": _rate_of(entry),
        "IsCredit": "Yes" if _is_credit(entry) else "No",
        "Description": entry.text,
        "ProjectId": entry.project,
        "ActualsImportId": entry.actual,
        "DefaultDimensionDisplayValue": entry.dimension,
    }


def _is_credit(entry: Entry) -> bool:
    return (entry.accounting_amount or entry.amount) < 0


def _rate_of(entry: Entry) -> Decimal:
    """Return the rate that the two amounts of an entry stand for, to ten digits."""
    if not entry.amount:
        return Decimal(1)
    return (entry.accounting_amount / entry.amount).quantize(Decimal("1E-10"))


def _penny_difference(entries: Sequence[Entry], currency: str, voucher: str) -> Iterator[Entry]:
    """Yield what balances the accounting amounts, where rounding alone can explain the difference."""
    difference = sum((entry.accounting_amount for entry in entries), _ZERO)
    if not difference:
        return
    coin = Decimal(1).scaleb(-decimals(currency))
    converted = sum(entry.currency.upper() != currency.upper() for entry in entries)
    if abs(difference) > coin * converted or not _balanced_by_currency(entries):
        raise FinanceError(
            400,
            f"Voucher {voucher} does not balance: its debits and credits differ by {difference} {currency}. "
            "Nothing was posted.",
            VALIDATION_ERROR,
        )
    yield Entry(PENNY_DIFFERENCE, _ZERO, currency, -difference, text="Rounding difference")


def _balanced_by_currency(entries: Sequence[Entry]) -> bool:
    """Whether debits equal credits before conversion; of several currencies nothing can be said."""
    if len({entry.currency.upper() for entry in entries}) > 1:
        return True
    return sum((entry.amount for entry in entries), _ZERO) == 0


def _require_accounts(ledger: Ledger, entries: Sequence[Entry]) -> None:
    """Refuse a voucher that books to a posting type without a main account.

    Raises:
        FinanceError: One has none.
    """
    types = {entry.posting_type for entry in entries if not entry.main_account}
    missing = sorted(types - ledger.accounts.keys())
    if missing:
        raise FinanceError(
            400,
            f"Legal entity {ledger.company.upper()} has no main account for the posting type "
            f"{', '.join(missing)}. Enter it in the ledger posting setup (ProjectPostingAccounts) and post "
            "again.",
            VALIDATION_ERROR,
        )


def _own_prefix(_books: Books, change: Change) -> Mapping[str, str]:
    """Give each voucher series of a company a prefix of its own, so that no two vouchers are alike.

    `ExpenseVoucher` of USPM numbers USPM-EV-000001; a prefix that someone chose stays. PROPOSED: each
    series of the documentation's examples is set up by an accountant.
    """
    code, prefix = str(change.values["Code"]), f"{change.values['dataAreaId'].upper()}-"
    if not code.endswith("Voucher") or change.values["Prefix"] not in ("", prefix):
        return {}
    initials = "".join(re.findall("[A-Z]", code))
    return {"Prefix": f"{prefix}{initials}-"}


HOOKS = (complete("NumberSequences", (Verb.CREATE,), _own_prefix),)
