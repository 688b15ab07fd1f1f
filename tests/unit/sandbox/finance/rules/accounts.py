"""A legal entity that can post, and what posting it takes: setup and rows for the tests of posting."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from sandbox.finance.books import Books
from sandbox.rules.days import noon
from sandbox.store import WriteUnit

DAY = date(2026, 10, 5)
CONTRACT, LINE, PROJECT, CUSTOMER = "ORD-01022-Z4M9Q0", "CLN-01022-1", "PRJ-01049-CCNID0", "US-001"
TIME, EXPENSE, MATERIAL, MILESTONE, FEE, RETAINER = range(192350000, 192350006)

ACCOUNTS = {
    "ProjectCost": "540100",
    "PayrollAllocation": "600900",
    "ExpenseIntegration": "210810",
    "ProcurementIntegration": "210820",
    "CostItem": "540300",
    "ExpenseOffset": "540400",
    "WipSalesValue": "140210",
    "AccruedRevenue": "401310",
    "InvoicedRevenue": "401100",
    "InvoicedRevenueOnAccount": "401200",
    "WipInvoicedOnAccount": "140310",
    "CustomerBalance": "130100",
    "SalesTax": "202100",
    "IntercompanyCost": "540600",
    "IntercompanyRevenue": "401500",
    "PennyDifference": "618900",
}


def guid(name: str) -> str:
    """The id that a name always has."""
    return str(uuid5(NAMESPACE_URL, name))


def set_up(
    books: Books,
    company: str = "uspm",
    currency: str = "USD",
    accrue: bool = True,
    balance: bool = False,
    closed: Sequence[int] = (),
) -> None:
    """Make a legal entity with ledger, accounts, periods of 2026, parameters, tax of 10% and a profile."""
    here = {"dataAreaId": company}
    books.insert("LegalEntities", {"LegalEntityId": company, "Name": company})
    ledger = {"LegalEntityId": company, "AccountingCurrency": currency, "ExchangeRateType": "Default"}
    books.insert("Ledgers", ledger)
    for posting_type, account in ACCOUNTS.items():
        row = {"PostingType": posting_type, "MainAccountId": account}
        books.insert("ProjectPostingAccounts", here | row)
    for month in range(1, 13):
        books.insert("LedgerFiscalPeriods", here | _period(month, month in closed))
    books.insert(
        "ProjectParametersV2",
        here | {"TaxGroupMethod": "Search", "TaxItemGroupMethod": "Category", "OnAccountCategory": "ONACC"},
    )
    books.insert("ProjectIntegrationParameters", here | {"CostRevenueProfileId": "STD"})
    for method in ("TimeAndMaterial", "FixedPrice"):
        rule = {
            "ProfileId": "STD",
            "BillingMethod": method,
            "AccrueRevenue": "Yes" if accrue else "No",
            "OnAccountInvoicingToBalance": "Yes" if balance else "No",
        }
        books.insert("ProjectRevenueProfileRules", here | rule)
    for name, chargeable in (("BILL", True), ("NONBILL", False)):
        line_property = {
            "LinePropertyId": name,
            "IsChargeable": "Yes" if chargeable else "No",
            "EnableAccrueRevenue": chargeable,
        }
        books.insert("ProjectLineProperties", here | line_property)
    rate = {"TaxGroup": "STATE", "TaxItemGroup": "FULL", "Percent": Decimal(10)}
    books.insert("SalesTaxRates", here | rate)


def add_contract(
    books: Books,
    company: str = "uspm",
    currency: str = "USD",
    tax_group: str = "",
    rate: Decimal | None = None,
) -> None:
    """Make a customer, a contract with one line, and its project; with a fixed rate where one is given."""
    here = {"dataAreaId": company}
    books.insert("CustomersV3", here | {"CustomerAccount": CUSTOMER, "SalesTaxGroup": tax_group})
    contract = {
        "ProjectContractId": CONTRACT,
        "SalesCurrencyCode": currency,
        "CustomerAccountNumber": CUSTOMER,
    }
    books.insert("ProjectContractHeaders", here | contract)
    project = {"ProjectContractId": CONTRACT, "DimensionDisplayValue": "001-PROJ"}
    books.insert("ProjectsV2", here | {"ProjectId": PROJECT} | project)
    if rate is not None:
        fixed = {"ProjectContractId": CONTRACT, "FromCurrencyCode": currency, "ExchangeRate": rate}
        books.insert("ProjectContractExchangeRates", here | fixed)


def _period(month: int, closed: bool) -> dict[str, Any]:
    last = date(2026, 12, 31) if month == 12 else date.fromordinal(date(2026, month + 1, 1).toordinal() - 1)
    return {
        "FiscalYear": "2026",
        "PeriodName": f"Period {month}",
        "StartDate": noon(date(2026, month, 1)),
        "EndDate": noon(last),
        "PeriodStatus": "Closed" if closed else "Open",
    }


def add_actual(books: Books, name: str, kind: str, amount: str, **values: Any) -> dict[str, Any]:
    """Let an actual come in; it is named for the test, and its ids follow from the name."""
    row = {
        "dataAreaId": "uspm",
        "ActualsImportId": guid(f"{name}/import"),
        "ActualId": guid(name),
        "TransactionType": kind,
        "TransactionClassification": TIME,
        "BillingType": "Chargeable",
        "ProjectId": PROJECT,
        "ContractId": CONTRACT,
        "ContractLineId": LINE,
        "Quantity": Decimal(8),
        "UnitPrice": Decimal(amount) / 8,
        "Amount": Decimal(amount),
        "TransactionCurrencyId": "USD",
        "DocumentDate": noon(DAY),
    }
    return books.insert("ProjActualsImports", row | values)


def connect(books: Books, first: str, first_role: str, second: str, second_role: str) -> None:
    """Let a transaction connection of two named actuals come in."""
    books.insert(
        "ProjCDSTransactionRelationshipImports",
        {
            "ConnectionId": guid(f"{first}/{second}"),
            "Transaction1Id": guid(first),
            "Transaction1Role": first_role,
            "Transaction2Id": guid(second),
            "Transaction2Role": second_role,
        },
    )


def add_journal(books: Books, company: str = "uspm", number: str = "USPM-000041") -> str:
    """Make an integration journal that is a draft."""
    books.insert("ProjectIntegrationJournals", {"dataAreaId": company, "JournalId": number})
    return number


def add_line(books: Books, journal: str, actual: dict[str, Any], **values: Any) -> dict[str, Any]:
    """Make the journal line of an actual, as the import from staging does, at a rate of 1."""
    company = actual["dataAreaId"]
    known = books.find("ProjectIntegrationJournalLines", dataAreaId=company, JournalId=journal)
    line = {
        "dataAreaId": company,
        "JournalId": journal,
        "LineNumber": len(known) + 1,
        "Voucher": f"USPM-V-{len(known) + 1:06d}",
        "ActualsImportId": actual["ActualsImportId"],
        "ActualId": actual["ActualId"],
        "TransactionType": actual["TransactionType"],
        "TransactionClassification": actual["TransactionClassification"],
        "ProjectId": actual["ProjectId"],
        "ProjectDataAreaId": actual["ProjectDataAreaId"],
        "CategoryId": "TCN-0000001000-D3B43-1",
        "LinePropertyId": "BILL",
        "TransactionDate": actual["DocumentDate"],
        "AccountingDate": actual["DocumentDate"],
        "Quantity": actual["Quantity"],
        "UnitPrice": actual["UnitPrice"],
        "Amount": actual["Amount"],
        "CurrencyCode": actual["TransactionCurrencyId"],
        "ExchangeRate": Decimal(1),
        "AccountingAmount": actual["Amount"],
        "ContractId": actual["ContractId"],
        "ContractLineId": actual["ContractLineId"],
        "LineStatus": "Draft",
    }
    return books.insert("ProjectIntegrationJournalLines", line | values)


def add_proposal(books: Books, number: str = "INV-01", currency: str = "USD", **values: Any) -> None:
    """Let the header of a confirmed proforma invoice come in."""
    header = {
        "dataAreaId": "uspm",
        "InvoiceProposalId": number,
        "ProjectContractId": CONTRACT,
        "SalesCurrency": currency,
        "InvoiceDate": noon(date(2026, 10, 31)),
    }
    books.insert("ProjectInvoiceProposalsV2", header | values)


def bill_in_dataverse(unit: WriteUnit, books: Books, number: str, count: int) -> None:
    """Let Dataverse have a confirmed invoice of USPM with so many billed sales actuals."""
    store = books.catalog.store
    company = {"cdm_companyid": guid("uspm"), "cdm_companycode": "USPM"}
    known = books.dataverse("cdm_company", cdm_companycode="USPM")
    rows = [] if known else [("cdm_company", company)]
    for table, row in [*rows, *_dataverse_rows(number, count)]:
        sql = store.sql(store.dataverse[table])
        unit.connection.execute(sql.insert().values({"versionnumber": unit.next_version(), **row}))


def _dataverse_rows(number: str, count: int) -> list[tuple[str, dict[str, Any]]]:
    invoice = guid(number)
    header = {"invoiceid": invoice, "invoicenumber": number, "msdyn_company": guid("uspm")}
    rows: list[tuple[str, dict[str, Any]]] = [("invoice", header)]
    for place in range(count):
        actual = {
            "msdyn_actualid": guid(f"{number}/{place}"),
            "msdyn_invoice": invoice,
            "msdyn_transactiontypecode": 192350006,
            "msdyn_skipsync": False,
        }
        rows.append(("msdyn_actual", actual))
    return rows


def balances(books: Books, company: str = "uspm", **where: Any) -> dict[str, Decimal]:
    """Sum the ledger by posting type, in the accounting currency; what came to nothing is left out."""
    sums: dict[str, Decimal] = {}
    for entry in books.find("GeneralJournalAccountEntries", dataAreaId=company, **where):
        kind = entry["PostingType"]
        sums[kind] = sums.get(kind, Decimal(0)) + entry["AccountingCurrencyAmount"]
    return {kind: amount for kind, amount in sums.items() if amount}


def assert_vouchers_balance(books: Books) -> None:
    """Check that the debits of every voucher equal its credits."""
    sums: dict[tuple[str, str], Decimal] = {}
    for entry in books.find("GeneralJournalAccountEntries"):
        key = entry["dataAreaId"], entry["Voucher"]
        sums[key] = sums.get(key, Decimal(0)) + entry["AccountingCurrencyAmount"]
    assert sums
    assert not {key: amount for key, amount in sums.items() if amount}
