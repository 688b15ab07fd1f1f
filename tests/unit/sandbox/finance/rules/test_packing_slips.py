"""Packing slips of item requirements."""

from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.rules.packing_slips import post_packing_slips
from sandbox.finance.rules.posted_costs import PostedCosts
from sandbox.rules.days import noon
from tests.unit.sandbox.finance.rules.purchasing import DAY, TRAVEL, entries, only, open_firm


def line(books: Books, place: int = 1, **values: Any) -> None:
    books.insert(
        "PackingSlipLines",
        {
            "dataAreaId": "uspm",
            "PackingSlipNumber": "PS-1",
            "LineNumber": place,
            "ProjectId": "PRJ-USPM",
            "ActivityNumber": "T1",
            "ItemNumber": "ITM-1",
            "Quantity": Decimal(3),
            "UnitSymbol": "ea",
            "CostPrice": Decimal("9.99"),
            "CurrencyCode": "USD",
            "PackingSlipDate": DAY,
            **values,
        },
    )


def test_r505_the_cost_of_material_is_posted_and_its_usage_goes_to_dataverse(books: Books) -> None:
    open_firm(books)
    line(books)
    line(books, 2, Quantity=Decimal(-1))
    assert post_packing_slips(books, {"company": "USPM"}) == {
        "USPM": {"posted": 1, "refused": 0},
        "messages": [],
    }
    assert entries(books, "uspm") == {"ProjectCost": Decimal("19.98"), "CostItem": Decimal("-19.98")}
    usages = books.find("ProjMaterialUsageExports")
    assert [(row["ItemNumber"], row["Quantity"], row["CostPrice"]) for row in usages] == [
        ("ITM-1", Decimal(3), Decimal("9.99")),
        ("ITM-1", Decimal(-1), Decimal("9.99")),
    ]
    assert {row["ActivityNumber"] for row in usages} == {"T1"}
    came_back = [{"ExternalOriginReference": row["MaterialUsageId"]} for row in usages]
    assert all(PostedCosts(books, "uspm").has(actual) for actual in came_back)
    transactions = books.find("ProjectTransactions")
    assert [(row["TransactionType"], row["CategoryId"], row["CostAmount"]) for row in transactions] == [
        ("Item", f"{TRAVEL}-3", Decimal("29.97")),
        ("Item", f"{TRAVEL}-3", Decimal("-9.99")),
    ]
    assert post_packing_slips(books, {})["USPM"] == {"posted": 0, "refused": 0}


def test_a_slip_in_a_closed_period_or_of_no_project_is_told(books: Books) -> None:
    open_firm(books)
    line(books, ProjectId="")
    line(books, 2, PackingSlipNumber="PS-2", PackingSlipDate=noon(date(2027, 1, 5)))
    line(books, 3, PackingSlipNumber="PS-3", ProjectId="PRJ-GBPM")
    done = post_packing_slips(books, {"company": "USPM"})
    assert done["USPM"] == {"posted": 0, "refused": 3}
    told = {row["DocumentNumber"]: row["ErrorId"] for row in books.find("ProjectIntegrationMessages")}
    assert told == {"PS-1": "R505", "PS-2": "E12", "PS-3": "R505"}
    assert entries(books, "uspm") == {}
    only(books, "PackingSlipLines", PackingSlipNumber="PS-3", IsPosted="No")
