"""From staging to the ledger: what the import writes, posting books."""

from decimal import Decimal

import pytest

from sandbox.finance.books import Books
from sandbox.finance.rules.posting import post_journals
from tests.unit.sandbox.finance.rules.staged import (
    ACTUALS,
    JOURNALS,
    LINES,
    actual,
    connect,
    open_firm,
    run,
    set_up,
)

ENTRIES = "GeneralJournalAccountEntries"


@pytest.fixture
def firm(books: Books) -> Books:
    return open_firm(books)


def booked(books: Books) -> dict[str, Decimal]:
    """Return the sum of what was booked by posting type."""
    sums: dict[str, Decimal] = {}
    for row in books.find(ENTRIES):
        sums[row["PostingType"]] = sums.get(row["PostingType"], Decimal(0)) + row["AccountingCurrencyAmount"]
    return sums


def test_r703_r704_hours_are_imported_posted_and_told_to_the_staging_rows(firm: Books) -> None:
    cost, sales = actual(firm, "Cost", "800"), actual(firm, "Sales", "1600")
    connect(firm, sales, cost)
    run(firm)
    assert post_journals(firm, {"company": "USPM"})["USPM"]["posted"] == 2
    assert booked(firm) == {
        "ProjectCost": Decimal(800),
        "PayrollAllocation": Decimal(-800),
        "WipSalesValue": Decimal(1600),
        "AccruedRevenue": Decimal(-1600),
    }
    (transaction,) = firm.find("ProjectTransactions")
    assert (transaction["CostAmount"], transaction["SalesAmount"]) == (Decimal(800), Decimal(1600))
    row = firm.get(ACTUALS, ActualsImportId=sales["ActualsImportId"])
    line = firm.get(LINES, ActualsImportId=sales["ActualsImportId"])
    assert (row["IsJournalized"], row["VoucherNumber"]) == ("Yes", line["Voucher"])
    assert firm.get(JOURNALS)["JournalStatus"] == "Posted"


def test_r705_the_contract_s_rate_of_one_and_a_quarter_to_the_cent(firm: Books) -> None:
    """Four hours at 250 GBP on a contract whose rate is 1.25, cost 480 USD."""
    fixed = {"ProjectContractId": "ORD-1", "FromCurrencyCode": "GBP", "ExchangeRate": Decimal("1.25")}
    firm.insert("ProjectContractExchangeRates", {"dataAreaId": "uspm", **fixed})
    cost = actual(firm, "Cost", "480", Quantity=Decimal(4))
    sales = actual(firm, "Sales", "1000", Quantity=Decimal(4), TransactionCurrencyId="GBP")
    connect(firm, sales, cost)
    run(firm)
    post_journals(firm, {"company": "USPM"})
    assert booked(firm) == {
        "ProjectCost": Decimal(480),
        "PayrollAllocation": Decimal(-480),
        "WipSalesValue": Decimal(1250),
        "AccruedRevenue": Decimal(-1250),
    }


def test_r604_what_was_open_at_the_import_and_is_closed_at_posting_moves_then(firm: Books) -> None:
    actual(firm, "Cost", "100")
    run(firm)
    october = firm.get("LedgerFiscalPeriods", dataAreaId="uspm", FiscalYear="2026", PeriodName="Period 10")
    firm.update("LedgerFiscalPeriods", october, {"PeriodStatus": "Closed"})
    post_journals(firm, {"company": "USPM"})
    assert {row["AccountingDate"] for row in firm.find(ENTRIES)} == {"2026-11-01T12:00:00Z"}


def test_r613_r703_fee_and_discount_lines_are_booked_beside_their_source(firm: Books) -> None:
    set_up(firm, "ProjectIntegrationParameters", "uspm", LineDiscountCategory="HOURS")
    actual(firm, "Sales", "900", LineDiscountAmount=Decimal(100), FeeAmount=Decimal(40))
    assert run(firm)["lines"] == 3
    assert post_journals(firm, {"company": "USPM"})["USPM"]["posted"] == 3
    assert booked(firm) == {"WipSalesValue": Decimal(940), "AccruedRevenue": Decimal(-940)}
