"""An independent judgement: nothing lost, nothing doubled, and each row set aside for a reason.

It reads both systems over plain HTTP and knows what people did from their own books; of the engine
it reads the mapping files and, from the state, only what is set aside.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from projops.mapping.model import System, TableMap
from projops.mapping.reader import LoadedMaps, load_maps
from runner.comparison import Difference, differences_of
from runner.expected import Key, Side
from runner.rows import Rows
from runner.wire import Wire
from tests.chaos import vouchers
from tests.chaos.blocking import blocking
from tests.chaos.books import KINDS, Books, Kind
from tests.chaos.vouchers import read_billed

_SET_ASIDE = "select * from dead_letter where status in ('open', 'parked', 'awaiting_approval')"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found.

    Attributes:
        rows: Rows compared, each source row of each leg once.
        lost: Rows or values that did not arrive, or were overwritten at their source.
        doubled: Rows that stand twice, or stand where nobody made them.
        unexplained: Rows that are set aside though nobody spoiled them; spoiled ones that are not;
            conflicts that nobody wrote down; headers that came before what they bill; a ledger that does
            not balance; what is left in the state and would block.
    """

    rows: int
    lost: Sequence[str]
    doubled: Sequence[str]
    unexplained: Sequence[str]

    @property
    def clean(self) -> bool:
        """Whether all is as it should be."""
        return not (self.lost or self.doubled or self.unexplained)


def judge(books: Books, maps: Sequence[str]) -> Verdict:
    """Compare both systems by some maps, and with the books."""
    wire = Wire.sign_in(books.world.sandbox)
    try:
        loaded, rows = load_maps(books.world.settings.mappings), Rows(wire)
        chosen = [loaded.maps[name] for name in maps]
        found = [each for table_map in chosen for each in differences_of(table_map, rows, loaded)]
        strangers = [each for each in found if not each.field and each.found == "there"]
        billed = read_billed(wire, books.world)
        lost = [each for each in found if each not in strangers and not _is_spoiled(each, books)]
        return Verdict(
            rows=sum(_sources(table_map, rows, loaded) for table_map in chosen),
            lost=[*map(str, lost), *_not_as_written(books), *vouchers.lost(billed, books.actuals)],
            doubled=[
                *(str(each) for each in strangers if not _is_left_behind(each, books)),
                *(text for each in chosen for text in twice(each.map, _keys(each, rows, loaded))),
                *vouchers.doubled(billed),
            ],
            unexplained=[
                *_letters(books),
                *_conflicts(books),
                *vouchers.out_of_order(billed),
                *vouchers.wrong_in_the_ledger(wire),
                *blocking(books.world),
            ],
        )
    finally:
        wire.close()


def _sources(table_map: TableMap, rows: Rows, loaded: LoadedMaps) -> int:
    return sum(
        len(rows.of(Side(table_map, direction.source, rows, loaded).table)) for direction in table_map.legs
    )


def _keys(table_map: TableMap, rows: Rows, loaded: LoadedMaps) -> list[Key]:
    """Integration keys of Dataverse's rows; Finance's are unique by themselves."""
    side = Side(table_map, System.DATAVERSE, rows, loaded)
    # A row without its key, such as a prospect without account number, is no row of the map.
    return [key for row in rows.of(side.table) if None not in (key := side.key(row))]


def twice(name: str, keys: Iterable[Key]) -> list[str]:
    """Name the keys of a map that stand more than once."""
    return [f"{name}: {key} stands {count} times" for key, count in Counter(keys).items() if count > 1]


def _is_spoiled(difference: Difference, books: Books) -> bool:
    return bool(_numbers(difference) & {number.casefold() for number in books.bad})


def _is_left_behind(difference: Difference, books: Books) -> bool:
    """Whether people made the row and took it away again, and its map lets it stand.

    A row that was given another key and then breaks a rule is set aside, and its former key stands.
    """
    ever = {number.casefold() for number in books.ever}
    kept = {kind.map for name, kind in KINDS.items() if name != "source"}
    if difference.map == KINDS["source"].map:
        bad = [books.live["source"][number] for number in books.bad]
        return not {old.casefold() for made in bad for old in made.former}.isdisjoint(_numbers(difference))
    return difference.map in kept and not ever.isdisjoint(_numbers(difference))


def _numbers(difference: Difference) -> set[str]:
    return {str(part).casefold() for part in difference.key}


def _not_as_written(books: Books) -> Iterator[str]:
    """Rows whose source is not what people left there."""
    for name, kind in KINDS.items():
        if name == "contract":
            continue  # nobody changes one
        texts = _texts(books, kind)
        for number, made in books.live[name].items():
            if number not in texts:
                yield f"{kind.map}: {number} has gone from its source"
            elif number not in books.bad and texts[number] not in made.texts:
                yield f"{kind.map}: {number} reads {texts[number]!r} at its source; written: {made.texts}"
        yield from _winners(books) if name == "customer" else ()


def _texts(books: Books, kind: Kind) -> Mapping[str, str]:
    read = books.world.dataverse_rows if kind.system == "dataverse" else books.world.finance_rows
    return {row[kind.key]: row[kind.text] for row in read(kind.entity_set) if row[kind.key]}


def _winners(books: Books) -> Iterator[str]:
    """Where both sides changed a name at once, Finance's stands (`conflict: finance`)."""
    names = {
        row["CustomerAccount"]: row["OrganizationName"] for row in books.world.finance_rows("CustomersV3")
    }
    for number, (_, there) in books.conflicts.items():
        if names.get(number) != there:
            yield f"customers: {number} reads {names.get(number)!r}; Finance's {there!r} should have won"


def _letters(books: Books) -> Iterator[str]:
    live = {str(row["key"] or row["source_id"]): row for row in books.world.sql(_SET_ASIDE)}
    for key, row in live.items():
        if not any(number.casefold() in key.casefold() for number in books.bad):
            yield f"{row['map']} {row['leg']}: {key} is {row['status']}: {row['rule']}: {row['message']}"
    for number in books.bad:
        if not any(number.casefold() in key.casefold() for key in live):
            yield f"funding_sources: {number} is spoiled, and is not set aside"


def _conflicts(books: Books) -> Iterator[str]:
    found: list[dict[str, Any]] = books.world.sql("select * from conflict where map = 'customers'")
    for number, values in books.conflicts.items():
        kept = [row for row in found if number.casefold() in row["key"].casefold()]
        texts = "".join(row["source_values"] + row["target_values"] for row in kept)
        if not all(value in texts for value in values):
            yield f"customers: the conflict of {number} between {values} was not written down"
