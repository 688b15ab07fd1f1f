"""What a shell offers when somebody types a map, an area or a number; it never fails, and changes nothing."""

from collections.abc import Callable, Iterator, Sequence

from sqlalchemy import Connection  # noqa: TID253  no DAG file leads here

from projops.errors import ProjOpsError
from projops.mapping.reader import map_files
from projops.settings import Settings
from projops.state import StateStore
from projops.state.numbers import conflicts_like, letters_like
from projops.state.store import HEAD

Offer = list[tuple[str, str]]
"""What may be typed, with what it is."""


def maps(incomplete: str) -> Offer:
    """Offer map ids, each with its area; broken maps too."""
    return sorted((name, area) for area, name in _files() if name.startswith(incomplete))


def areas(incomplete: str) -> Offer:
    """Offer areas."""
    return sorted({(area, "") for area, _ in _files() if area.startswith(incomplete)})


def letters(incomplete: str) -> Offer:
    """Offer numbers of live dead letters, each with its map, the newest first."""
    return _numbers(letters_like, incomplete)


def conflicts(incomplete: str) -> Offer:
    """Offer numbers of conflicts, each with its map, the newest first."""
    return _numbers(conflicts_like, incomplete)


def _files() -> Iterator[tuple[str, str]]:
    try:
        folder = Settings.from_environment().mappings
    except ProjOpsError:
        return
    for path in map_files(folder):
        yield path.parent.name, path.stem


def _numbers(like: Callable[[Connection, str], Sequence[tuple[int, str]]], begun: str) -> Offer:
    try:
        store = StateStore(Settings.from_environment().state_url)
        try:
            if store.revision() != HEAD:
                return []
            with store.reading() as connection:
                return [(str(number), name) for number, name in like(connection, begun)]
        finally:
            store.close()
    except Exception:  # a shell shows what is raised here in the middle of the line
        return []
