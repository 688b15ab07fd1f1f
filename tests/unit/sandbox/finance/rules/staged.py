"""Actuals that come in to a firm that is set up for projects, for tests of what becomes of them."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from sandbox.data import finance_setup, intercompany
from sandbox.data.firm import Row
from sandbox.finance.books import Books
from sandbox.finance.rules.messages import open_messages
from sandbox.finance.rules.staging_import import import_from_staging
from sandbox.finance.values import blanks
from sandbox.rules.days import noon
from sandbox.store.tables import REC_ID, REC_VERSION, VERSION

TIME, EXPENSE, MATERIAL = 192350000, 192350001, 192350002
LINES = "ProjectIntegrationJournalLines"
JOURNALS = "ProjectIntegrationJournals"
ACTUALS = "ProjActualsImports"


def open_firm(books: Books) -> Books:
    """USPM and GBPM as the demo has them set up, with a project of USPM's on a contract."""
    for code, currency in (("USPM", "USD"), ("GBPM", "GBP")):
        books.insert("LegalEntities", {"LegalEntityId": code, "Name": code})
        ledger = {"LegalEntityId": code, "AccountingCurrency": currency, "ExchangeRateType": "Default"}
        books.insert("Ledgers", ledger)
    sets = finance_setup.finance_rows() | {"CustomersV3": intercompany.customers()}
    for entity_set, rows in sets.items():
        enter(books, entity_set, [row for row in rows if row.get("dataAreaId") != "demf"])
    contract = {"dataAreaId": "uspm", "ProjectContractId": "ORD-1", "SalesCurrencyCode": "USD"}
    books.insert("ProjectContractHeaders", contract)
    project = {
        "dataAreaId": "uspm",
        "ProjectId": "PRJ-1",
        "ProjectStage": "InProcess",
        "ProjectContractId": "ORD-1",
        "DimensionDisplayValue": "DEP-7",
    }
    books.insert("ProjectsV2", project)
    rate("GBP", "USD", "1.25", books)
    return books


def enter(books: Books, entity_set: str, rows: list[Row]) -> None:
    """Insert setup rows at once, without hooks, as the demo seed does."""
    table = books.catalog.sets[entity_set]
    unit = books.unit
    systems = [{VERSION: unit.next_version(), REC_ID: unit.next_recid(), REC_VERSION: 1} for _ in rows]
    full = [blanks(table) | row | system for row, system in zip(rows, systems, strict=True)]
    books.unit.connection.execute(sa.insert(books.catalog.sql(table)), full)


def rate(origin: str, target: str, value: str, books: Books) -> None:
    values = {
        "ExchangeRateTypeName": "Default",
        "FromCurrencyCode": origin,
        "ToCurrencyCode": target,
        "ValidFrom": noon(date(2025, 1, 1)),
        "ValidTo": noon(date(2154, 12, 31)),
        "Rate": Decimal(value),
    }
    books.insert("ExchangeRatesCDSEntity", values)


def actual(books: Books, kind: str, amount: str, **values: Any) -> dict[str, Any]:
    """Let an actual come in; by default hours of USPM on its project on October 5, 2026."""
    row = {
        "dataAreaId": "uspm",
        "ActualsImportId": str(uuid4()),
        "ActualId": str(uuid4()),
        "TransactionType": kind,
        "TransactionClassification": TIME,
        "BillingType": "Chargeable" if kind != "Cost" else "NotSpecified",
        "ProjectId": "PRJ-1",
        "ProjectDataAreaId": "USPM",
        "ResourcingCompany": "USPM",
        "ContractId": "ORD-1",
        "Quantity": Decimal(8),
        "Amount": Decimal(amount),
        "TransactionCurrencyId": "USD",
        "DocumentDate": noon(date(2026, 10, 5)),
    }
    return books.insert(ACTUALS, row | values)


def connect(books: Books, sales: dict[str, Any], cost: dict[str, Any]) -> None:
    values = {
        "ConnectionId": str(uuid4()),
        "Transaction1Id": sales["ActualId"],
        "Transaction1Role": "Unbilled Sales",
        "Transaction1Type": "msdyn_actual",
        "Transaction2Id": cost["ActualId"],
        "Transaction2Role": "Cost",
        "Transaction2Type": "msdyn_actual",
    }
    books.insert("ProjCDSTransactionRelationshipImports", values)


def run(books: Books, company: str = "USPM") -> dict[str, Any]:
    return dict(import_from_staging(books, {"company": company})[company])


def line_of(books: Books, row: dict[str, Any]) -> dict[str, Any]:
    return books.get(LINES, ActualsImportId=row["ActualsImportId"])


def set_up(books: Books, entity_set: str, company: str, **values: Any) -> None:
    books.update(entity_set, books.get(entity_set, dataAreaId=company), values)


def errors(books: Books, company: str = "uspm") -> list[str]:
    return [row["ErrorId"] for row in open_messages(books, company)]
