"""Documents on projects that are closed."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from sandbox.finance.books import Books
from sandbox.finance.rules.expense_reports import post_expense_reports
from sandbox.finance.rules.general_journals import post_general_journals
from sandbox.finance.rules.messages import open_messages
from sandbox.finance.rules.packing_slips import post_packing_slips
from sandbox.finance.rules.vendor_invoices import post_vendor_invoices
from sandbox.rules.hooks import Row
from tests.unit.sandbox.finance.rules import (
    expenses,
    test_general_journals,
    test_packing_slips,
    test_vendor_invoices,
)
from tests.unit.sandbox.finance.rules.purchasing import entries, expense_category, open_firm


def enter_report(books: Books) -> None:
    expenses.report(books)
    expenses.line(books)


def enter_invoice(books: Books) -> None:
    test_vendor_invoices.invoice(books)
    test_vendor_invoices.line(books)


@pytest.mark.parametrize(
    ("enter", "post", "cost"),
    [
        (enter_report, post_expense_reports, {"ExpenseIntegration": Decimal("120.00")}),
        (enter_invoice, post_vendor_invoices, {"ProcurementIntegration": Decimal("500.00")}),
        (test_general_journals.line, post_general_journals, {"ProjectCost": Decimal("80.50")}),
        (test_packing_slips.line, post_packing_slips, {"ProjectCost": Decimal("29.97")}),
    ],
    ids=["expense report", "vendor invoice", "general journal", "packing slip"],
)
def test_r113_e8_nothing_is_posted_on_a_closed_project_until_it_is_open_again(
    books: Books,
    enter: Callable[[Books], None],
    post: Callable[[Books, Row], dict[str, Any]],
    cost: dict[str, Decimal],
) -> None:
    """Else its cost would stay on the integration account: the journal takes no actual of it either."""
    open_firm(books)
    expense_category(books)
    enter(books)
    project = books.get("ProjectsV2", ProjectId="PRJ-USPM")
    project = books.update("ProjectsV2", project, {"ProjectStage": "Completed"})
    done = post(books, {"company": "USPM"})
    assert done["USPM"] == {"posted": 0, "refused": 1}
    refusal = "Project stage finished doesn't allow recording in the project PRJ-USPM (USPM)"
    assert refusal in done["messages"][0]
    assert [row["ErrorId"] for row in open_messages(books, "uspm")] == ["E8"]
    assert entries(books, "uspm") == {}
    books.update("ProjectsV2", project, {"ProjectStage": "InProcess"})
    assert post(books, {"company": "USPM"})["USPM"] == {"posted": 1, "refused": 0}
    assert cost.items() <= entries(books, "uspm").items()
    assert open_messages(books, "uspm") == []
