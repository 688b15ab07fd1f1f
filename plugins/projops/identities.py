"""Identities of rows on disk: a batch remembers a million rows in the memory of a thousand."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence

from projops.scratch import scratch_database

_TABLE = "CREATE TABLE noted (text TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID"


class Identities:
    """A mapping of texts (GUIDs, key texts) to texts, in a database that goes with the object.

    The texts hold no NUL: key texts are JSON, which escapes it.
    """

    def __init__(self) -> None:
        self._database = scratch_database(self, _TABLE)
        self._holds_any = False

    def note(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Remember texts with their values; one that is known keeps the value that it has."""
        self._holds_any = True
        self._database.execute("BEGIN")
        self._database.executemany("INSERT OR IGNORE INTO noted VALUES (?, ?)", pairs)
        self._database.execute("COMMIT")

    def forget(self, texts: Sequence[str]) -> int:
        """Forget texts; give how many of them were known."""
        if not self._holds_any:  # the rule: most runs await nothing
            return 0
        statement = "DELETE FROM noted WHERE text IN (SELECT value FROM json_each(?))"
        return self._database.execute(statement, (json.dumps(texts),)).rowcount

    def among(self, texts: Sequence[str]) -> dict[str, str]:
        """Of some texts, give those that are known, with their values."""
        statement = "SELECT text, value FROM noted WHERE text IN (SELECT value FROM json_each(?))"
        return dict(self._database.execute(statement, (json.dumps(texts),)))

    def missing(self, texts: Sequence[str]) -> list[str]:
        """Of some texts, give those that are not known."""
        known = self.among(texts)
        return [text for text in texts if text not in known]

    def pages(self, size: int) -> Iterator[list[str]]:
        """Give all texts, sorted, some at a time."""
        statement = "SELECT text FROM noted WHERE text > ? ORDER BY text LIMIT ?"
        return pages(lambda last: [text for (text,) in self._database.execute(statement, (last, size))])


def pages(after: Callable[[str], list[str]]) -> Iterator[list[str]]:
    """Give sorted texts some at a time, as far as there are any.

    Args:
        after: Gives the next texts behind the last one; behind "" the first.
    """
    last = ""
    while page := after(last):
        yield page
        last = page[-1]
