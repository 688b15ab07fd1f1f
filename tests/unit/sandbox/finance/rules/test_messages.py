"""Messages of the integration workspace: one a cause, closed and opened again."""

from uuid import uuid4

from sandbox.finance.books import Books
from sandbox.finance.rules.messages import MESSAGES, note, open_messages, resolve
from sandbox.store.types import instant_text


def test_a_cause_that_comes_again_refreshes_its_one_message(books: Books) -> None:
    actual = str(uuid4())
    note(books, "USPM", "E11", "No relation.", "import-from-staging", actual=actual)
    note(books, "uspm", "E11", "Still no relation.", "import-from-staging", actual=actual)
    (message,) = open_messages(books, "USPM")
    assert message["MessageText"] == "Still no relation."
    assert (message["dataAreaId"], message["ErrorId"], message["Severity"]) == ("uspm", "E11", "Error")
    assert len(message["MessageId"]) <= 20


def test_what_is_closed_opens_again_when_the_cause_comes_back(books: Books) -> None:
    note(books, "USPM", "E9", "Not posted.", "import-from-staging", document="INV-1")
    assert resolve(books, "USPM", document="INV-1", error_id="E10") == 0
    assert resolve(books, "USPM", document="INV-1") == 1
    assert open_messages(books, "USPM") == []
    assert books.get(MESSAGES, DocumentNumber="INV-1")["ResolvedDateTime"] == instant_text(books.now)
    note(books, "USPM", "E9", "Not posted.", "import-from-staging", document="INV-1")
    assert len(open_messages(books, "USPM")) == 1


def test_other_causes_and_companies_keep_their_messages(books: Books) -> None:
    actual = str(uuid4())
    for company, error in (("USPM", "E8"), ("USPM", "E12"), ("GBPM", "E8")):
        note(books, company, error, "No.", "import-from-staging", actual=actual)
    assert resolve(books, "USPM", actual=actual, error_id="E8") == 1
    assert [row["ErrorId"] for row in open_messages(books, "USPM")] == ["E12"]
    assert len(open_messages(books, "GBPM")) == 1


def test_a_long_text_is_cut_to_what_the_column_holds(books: Books) -> None:
    note(books, "USPM", "E14", "x" * 1200, "post-integration-journal", document="USPM-000041")
    assert len(open_messages(books, "USPM")[0]["MessageText"]) == 1000


def test_a_job_closes_its_own_messages_about_a_document(books: Books) -> None:
    for job, error in (("post-vendor-invoices", "E12"), ("post-invoice-proposals", "E9")):
        note(books, "USPM", error, "No.", job, document="INV-1")
    assert resolve(books, "USPM", document="INV-1", job="post-vendor-invoices") == 1
    assert [row["JobName"] for row in open_messages(books, "USPM")] == ["post-invoice-proposals"]
