"""The answer held against the book: what was missed, what was invented, and what was said wrongly."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from projops.mapping import catalog
from projops.mapping.model import System
from tests.plantings.answers import Answer, Reported
from tests.plantings.book import Cell, Entry
from tests.plantings.planter import Planting
from tests.plantings.standing import Ground
from tests.plantings.values import reported_form, same

Book = Mapping[Cell, tuple[Entry, str]]


@dataclass(frozen=True)
class Score:
    """How an answer did.

    Attributes:
        due: Cells that had to be reported.
        reported: Cells that were.
        missed: Those that were not.
        invented: Those that had not to be.
        wrong: Sentences about cells that were reported with a wrong kind, value or verdict, or twice.
    """

    due: int
    reported: int
    missed: Sequence[Cell]
    invented: Sequence[tuple[Cell, Reported]]
    wrong: Sequence[str]

    @property
    def recall(self) -> float:
        """Share of what had to be reported that was."""
        return 1.0 if not self.due else (self.due - len(self.missed)) / self.due

    @property
    def precision(self) -> float:
        """Share of what was reported that had to be."""
        return 1.0 if not self.reported else (self.reported - len(self.invented)) / self.reported

    @property
    def perfect(self) -> bool:
        """Whether nothing was missed, invented or said wrongly."""
        return not (self.missed or self.invented or self.wrong)


def score(grounds: Mapping[str, Ground], book: Book, answer: Answer) -> Score:
    """Hold an answer against the book.

    Args:
        grounds: Maps by id.
        book: What must be said of each cell, and its verdict.
        answer: What was said.
    """
    missed = [cell for cell in book if cell not in answer.cells]
    invented = [(cell, said[0]) for cell, said in answer.cells.items() if cell not in book]
    wrong = [
        sentence
        for cell, said in answer.cells.items()
        if cell in book
        for sentence in _wrong(grounds[cell.map], cell, *book[cell], said)
    ]
    return Score(len(book), len(answer.cells), missed, invented, wrong)


def _wrong(ground: Ground, cell: Cell, entry: Entry, verdict: str, said: Sequence[Reported]) -> Iterator[str]:
    if len(said) > 1:
        yield f"{cell} was reported {len(said)} times: {[str(each.direction) for each in said]}"
    for each in said:
        if each.kind != entry.kind:
            yield f"{cell} is {entry.kind}, was reported as {each.kind}"
        if each.verdict != verdict:
            yield f"{cell} ({entry.kind}) is {verdict}, was reported as {each.verdict}: {each.explanation}"
        if each.direction not in entry.values:
            yield f"{cell} differs for {list(entry.values)}, was reported for {each.direction}"
        elif each.column is not None and each.kind == entry.kind:
            yield from _wrong_values(ground, cell, entry, each)


def _wrong_values(ground: Ground, cell: Cell, entry: Entry, said: Reported) -> Iterator[str]:
    path = entry.columns[said.direction]
    target = said.direction.target
    column = catalog.resolve(ground.sides[target].table, path).column
    folded = path
    if target is System.FINANCE:
        folded = dict(ground.table_map.shared_fields()).get(path, path)
    for name, text, value in zip(
        ("expected", "found"), (said.expected, said.found), entry.values[said.direction], strict=True
    ):
        if not same(reported_form(text, column, target), value, folded):
            yield f"{cell}: {name} is {value!r}, was reported as {text!r}"


def table(plantings: Collection[Planting], found: Score) -> Iterator[str]:
    """Give lines of a table by kind and side: planted, to be reported, reported, and what is not right."""
    missed = set(found.missed)
    columns = ("planted", "must be reported", "reported", "declared equal")
    yield f"{'kind':<22}{'side':<8}" + "".join(f"{name:>18}" for name in columns)
    kinds = Counter((each.kind, each.side) for each in plantings)
    for (kind, side), count in sorted(kinds.items()):
        some = [each for each in plantings if (each.kind, each.side) == (kind, side)]
        due = [each for each in some if each.cells]
        reported = sum(not each.cells & missed for each in due)
        numbers = (count, len(due), reported, count - len(due))
        yield f"{kind:<22}{side:<8}" + "".join(f"{number:>18}" for number in numbers)
