"""Lines of the integration journal that cannot be posted (R701, R702, E14)."""

from decimal import Decimal
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.rules.messages import open_messages
from sandbox.finance.rules.posting import post_journals, update_to_draft
from sandbox.rules.days import noon
from tests.unit.sandbox.finance.rules.accounts import (
    DAY,
    add_actual,
    add_contract,
    add_journal,
    add_line,
    balances,
    guid,
    set_up,
)


def post(books: Books) -> dict[str, Any]:
    return post_journals(books, {"company": "USPM"})


def failing_journal(books: Books) -> None:
    """One line in an open month, one in a closed month."""
    set_up(books, closed=[8])
    add_contract(books)
    journal = add_journal(books)
    add_line(books, journal, add_actual(books, "good", "Cost", "800"))
    add_line(
        books, journal, add_actual(books, "bad", "Cost", "400"), AccountingDate=noon(DAY.replace(month=8))
    )


def test_r701_good_lines_post_and_bad_ones_move_to_a_journal_of_their_own(books: Books) -> None:
    failing_journal(books)
    result = post(books)
    assert result["USPM"] == {"journals": 1, "in_batch": 0, "posted": 1, "failed": 1}
    original, other = books.find("ProjectIntegrationJournals")
    assert (original["JournalStatus"], original["NumberOfLines"]) == ("Posted", 1)
    assert (other["JournalStatus"], other["OriginalJournalId"]) == ("Error", "USPM-000041")
    [moved] = books.find("ProjectIntegrationJournalLines", JournalId=other["JournalId"])
    assert (moved["LineStatus"], moved["ActualsImportId"]) == ("Error", guid("bad/import"))
    assert balances(books) == {"ProjectCost": Decimal(800), "PayrollAllocation": Decimal(-800)}
    assert books.get("ProjActualsImports", ActualId=guid("bad"))["VoucherNumber"] == ""


def test_e14_says_which_line_failed_and_why_until_it_is_posted(books: Books) -> None:
    failing_journal(books)
    post(books)
    [message] = open_messages(books, "uspm")
    assert message["ErrorId"] == "E14"
    assert message["ActualsImportId"] == guid("bad/import")
    for part in ("(USPM-000041)", "RecId (", "Voucher (USPM-V-000002)", "No open fiscal period was found"):
        assert part in message["MessageText"]
    period = books.get("LedgerFiscalPeriods", PeriodName="Period 8")
    books.update("LedgerFiscalPeriods", period, {"PeriodStatus": "Open"})
    update_to_draft(books, {})
    post(books)
    assert open_messages(books, "uspm") == []
    assert balances(books)["ProjectCost"] == Decimal(1200)


def test_r702_an_error_is_not_retried_until_it_is_set_back_to_draft(books: Books) -> None:
    failing_journal(books)
    post(books)
    period = books.get("LedgerFiscalPeriods", PeriodName="Period 8")
    books.update("LedgerFiscalPeriods", period, {"PeriodStatus": "Open"})
    assert post(books)["USPM"]["posted"] == 0
    assert update_to_draft(books, {"company": "USPM"})["USPM"] == {"journals": 1, "lines": 1}
    assert post(books)["USPM"]["posted"] == 1


def test_a_journal_of_bad_lines_only_stays_where_it_is(books: Books) -> None:
    set_up(books, closed=[10])
    add_contract(books)
    add_line(books, add_journal(books), add_actual(books, "bad", "Cost", "800"))
    assert post(books)["USPM"]["failed"] == 1
    [journal] = books.find("ProjectIntegrationJournals")
    assert (journal["JournalStatus"], journal["OriginalJournalId"]) == ("Error", "")


def test_an_invalid_line_keeps_its_state(books: Books) -> None:
    set_up(books)
    add_line(books, add_journal(books), add_actual(books, "x", "Cost", "8"), LineStatus="InvalidActuals")
    assert post(books)["USPM"] == {"journals": 1, "in_batch": 0, "posted": 0, "failed": 0}
    assert books.get("ProjectIntegrationJournals")["JournalStatus"] == "Draft"
