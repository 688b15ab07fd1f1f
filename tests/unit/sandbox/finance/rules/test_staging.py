"""The state of staged actuals."""

from uuid import uuid4

from sandbox.finance.books import Books
from sandbox.finance.rules.staging import ACTUALS, mark, reopen, state_of, unprocessed
from sandbox.rules.hooks import Caller
from sandbox.store.types import instant_text


def arrive(books: Books, company: str = "uspm") -> str:
    actual = str(uuid4())
    values = {"dataAreaId": company, "ActualsImportId": actual, "TaskNumber": "T1"}
    books.insert(ACTUALS, values)
    return actual


def test_an_actual_that_comes_in_waits_for_the_import(books: Books) -> None:
    first, second = arrive(books), arrive(books)
    arrive(books, "gbpm")
    assert [row["ActualsImportId"] for row in unprocessed(books, "USPM")] == [first, second]
    state = state_of(books, "USPM", first)
    assert state is not None
    assert (state["IntegrationCount"], state["ActivityNumber"]) == (1, "T1")
    assert state["ReceivedDateTime"] == instant_text(books.now)


def test_processed_duplicate_and_invalid_actuals_do_not_wait(books: Books) -> None:
    actuals = [arrive(books) for _ in range(4)]
    mark(books, "USPM", actuals[0], IsProcessed="Yes")
    mark(books, "USPM", actuals[1], IsDuplicate="Yes")
    mark(books, "USPM", actuals[2], IsInvalid="Yes")
    assert [row["ActualsImportId"] for row in unprocessed(books, "USPM")] == actuals[3:]


def test_an_invalid_actual_that_is_sent_again_waits_again(books: Books) -> None:
    actual = arrive(books)
    mark(books, "USPM", actual, IsInvalid="Yes")
    row = books.get(ACTUALS, ActualsImportId=actual)
    books.update(ACTUALS, row, {"Description": "corrected"}, Caller.USER)
    state = state_of(books, "USPM", actual)
    assert state is not None
    assert (state["IsInvalid"], state["IntegrationCount"]) == ("No", 2)


def test_what_finance_writes_itself_is_no_receipt(books: Books) -> None:
    actual = arrive(books)
    books.update(ACTUALS, books.get(ACTUALS, ActualsImportId=actual), {"VoucherNumber": "V1"})
    state = state_of(books, "USPM", actual)
    assert state is not None
    assert state["IntegrationCount"] == 1


def test_r611_a_reopened_actual_is_in_no_journal(books: Books) -> None:
    actual = arrive(books)
    mark(books, "USPM", actual, IsProcessed="Yes", JournalId="USPM-000001", JournalLineNumber=3)
    reopen(books, "USPM", actual)
    state = state_of(books, "USPM", actual)
    assert state is not None
    assert (state["IsProcessed"], state["JournalId"], state["JournalLineNumber"]) == ("No", "", 0)


def test_a_deleted_actual_leaves_no_state(books: Books) -> None:
    actual = arrive(books)
    books.delete(ACTUALS, books.get(ACTUALS, ActualsImportId=actual))
    assert state_of(books, "USPM", actual) is None
