"""Stages of projects: nothing is recorded on a project that Project Operations has closed (R113, E8)."""

from collections.abc import Sequence

from sandbox.finance.books import Books
from sandbox.finance.rules.connections import chunks
from sandbox.finance.rules.documents import DocumentRefusedError
from sandbox.rules.hooks import Row

FINISHED = "Completed"

Place = tuple[str, str]
"""A project: legal entity and number, both in lower case."""


def place_of(line: Row) -> Place:
    """Return the project of a line; where no legal entity is named, it is one of the line's own."""
    return str(line.get("ProjectDataAreaId") or line["dataAreaId"]).lower(), str(line["ProjectId"]).lower()


def finished_projects(books: Books, lines: Sequence[Row]) -> frozenset[Place]:
    """Return those projects of some lines that are closed."""
    numbers = sorted({str(line["ProjectId"]) for line in lines if line["ProjectId"]})
    return frozenset(
        (str(row["dataAreaId"]).lower(), str(row["ProjectId"]).lower())
        for part in chunks(numbers)
        for row in books.find("ProjectsV2", ProjectId=part, ProjectStage=FINISHED)
    )


def require_open(books: Books, lines: Sequence[Row]) -> None:
    """Refuse a document with a line on a closed project.

    Raises:
        DocumentRefusedError: E8.
    """
    finished = finished_projects(books, lines)
    for line in lines:
        if place_of(line) in finished:
            raise DocumentRefusedError("E8", finished_project(place_of(line)[0], str(line["ProjectId"])))


def finished_project(company: str, number: str) -> str:
    """Say that a project is closed and what to do (E8)."""
    return (
        f"Project stage finished doesn't allow recording in the project {number} ({company.upper()}). "
        "Reopen the project in Project Operations, then run the job again."
    )
