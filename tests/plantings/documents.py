"""Documents that Finance exports and that the demo begins without: expense categories and expenses."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from sandbox.store import Store

_A_LONG_NOTE = "Café du Nord, Ångström's table, and what else the guests of Zürich had that night" * 2
Row = Mapping[str, Any]


def documents(store: Store, maps: Sequence[str], rows: int) -> Iterator[tuple[str, Sequence[Row]]]:
    """Make so many documents of each map; parents first.

    Yields:
        An entity set of Finance, and its rows.
    """
    if "expense_categories" in maps or "expenses" in maps:
        yield "ProjExpenseCategoriesExport", list(_categories(store, rows))
    if "expenses" in maps:
        yield "ProjExpensesExport", list(_expenses(store, rows))


def _categories(store: Store, rows: int) -> Iterator[Row]:
    known = _values(store, "ProjectTransactionCategories", "CategoryId")
    types = ("Hotel", "Meals", "Airline", "Gift", "Transport")
    for number in range(rows):
        yield {
            "dataAreaId": "USPM",
            "CostType": f"EC{number:05}",
            "CostTxt": f"Reisekosten Zürich {number}",
            "TransactionCategoryId": known[number % 5],
            "ExpType": types[number % len(types)],
            "IsInactive": "No",
        }


def _expenses(store: Store, rows: int) -> Iterator[Row]:
    projects = _values(store, "ProjectsV2", "ProjectId", dataAreaId="USPM")
    for number in range(rows):
        net = Decimal(40 + number) + Decimal("0.123456")
        yield {
            "ExpTransNumber": f"EXP{number:05}",
            "ReferenceDataAreaId": "USPM",
            "ProjId": projects[number % 7],
            "NetAmount": net,
            "TaxAmount": Decimal("7.654321"),
            "Amount": net + Decimal("7.654321"),
            "ExchangeCode": "USD",
            "TransDate": f"2026-0{1 + number % 9}-{1 + number % 28:02}T12:00:00Z",
            "AdditionalInformation": f"{number} {_A_LONG_NOTE if number % 3 == 0 else 'Café'}",
            "BillingType": ("Chargeable", "NonChargeable")[number % 2],
            "CostType": f"EC{number % 5:05}",
            "Quantity": Decimal("1.5"),
        }


def _values(store: Store, entity_set: str, column: str, **where: Any) -> list[str]:
    table = store.sql(store.finance[entity_set])
    query = sa.select(table.c[column]).where(*(table.c[name] == value for name, value in where.items()))
    with store.read() as connection:
        return sorted(connection.execute(query).scalars())
