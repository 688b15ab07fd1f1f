"""Jobs that post documents one by one: what cannot be posted is told, the others go on."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.errors import FinanceError
from sandbox.finance.rules.exchange import missing_rate, to_accounting
from sandbox.finance.rules.messages import note, resolve
from sandbox.finance.rules.periods import PeriodClosedError
from sandbox.rules.hooks import Row
from sandbox.rules.jobs import JobRefusedError


class DocumentRefusedError(Exception):
    """A document that cannot be posted.

    Attributes:
        error_id: Of the documented error (E15), or of the rule where none is documented (R902).
    """

    def __init__(self, error_id: str, sentence: str) -> None:
        """Keep the id with the sentence that people read."""
        super().__init__(sentence)
        self.error_id = error_id


@dataclass(frozen=True, slots=True)
class PostingJob:
    """A job that posts each document of a kind by itself.

    Attributes:
        name: Of the job.
        rule: The rule that posting follows, for refusals that have no documented error.
        number: Column that holds a document's number in its company.
        pending: Documents of a company that wait to be posted.
        post: Posts one; raises what refuses it.
    """

    name: str
    rule: str
    number: str
    pending: Callable[[Books, str], Sequence[Row]]
    post: Callable[[Books, Row], None]


def legal_entities(books: Books, parameters: Row) -> list[str]:
    """Return the companies that a job runs in: the one that it names, else all.

    Raises:
        JobRefusedError: It names one that does not exist.
    """
    rows = books.find("LegalEntities")
    named = parameters.get("company")
    found = [row["LegalEntityId"] for row in rows if not named or _same(row["LegalEntityId"], named)]
    if named and not found:
        raise JobRefusedError(f"There is no legal entity '{named}'. Name one of Finance, or none for all.")
    return found


def post_documents(books: Books, parameters: Row, job: PostingJob) -> dict[str, Any]:
    """Post what waits, each document in a savepoint of its own.

    Returns:
        By company code the counts `posted` and `refused`, and under `messages` why, one sentence each.

    Raises:
        JobRefusedError: The job names a company that does not exist.
    """
    counts: dict[str, Any] = {}
    messages: list[str] = []
    for company in legal_entities(books, parameters):
        refusals = [_attempt(books, company, job, document) for document in job.pending(books, company)]
        told = [sentence for sentence in refusals if sentence is not None]
        counts[company.upper()] = {"posted": len(refusals) - len(told), "refused": len(told)}
        messages += told
    return counts | {"messages": messages}


def accounting_amount(
    books: Books, company: str, amount: Decimal, currency: str, day: date, contract: str = ""
) -> Decimal:
    """Return an amount in the company's accounting currency at the rate of a day, or the contract's.

    Raises:
        DocumentRefusedError: No rate is known (R607).
    """
    converted = to_accounting(books, company, amount, currency, day, contract)
    if converted is None:
        raise DocumentRefusedError("R607", missing_rate(books, company, currency, day))
    return converted.amount


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Add amounts up exactly, none to 0."""
    return sum(amounts, Decimal(0))


def _attempt(books: Books, company: str, job: PostingJob, document: Row) -> str | None:
    """Post a document; return why it was refused, None where it was posted."""
    number = str(document[job.number])
    try:
        with books.savepoint():
            job.post(books, document)
    except (DocumentRefusedError, FinanceError, PeriodClosedError) as refused:
        error_id = getattr(refused, "error_id", job.rule)
        note(books, company, error_id, str(refused), job.name, document=number)
        return f"{number}: {refused}"
    resolve(books, company, document=number, job=job.name)
    return None


def _same(one: str, other: object) -> bool:
    return isinstance(other, str) and one.lower() == other.lower()
