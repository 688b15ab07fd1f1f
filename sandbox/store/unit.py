"""One write transaction, and the versions and record ids that it takes."""

from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa


class WriteUnit:
    """One write transaction.

    Writers are serialised for the whole of their transaction, by BEGIN IMMEDIATE or by the lock on
    the environment row: versions become visible in the order in which they were taken, hence a
    reader that has seen version n has seen every version below it.

    Attributes:
        connection: The SQLAlchemy connection to write with.
        now: The sandbox's time at the start of the unit, aware, whole seconds.
        after_commit: What is called once it has committed, before the next writer's turn.
    """

    def __init__(self, connection: sa.Connection, now: datetime, counters: tuple[int, int]) -> None:
        """Begin with the counters (version, recid) as the database has them."""
        self.connection = connection
        self.now = now
        self.after_commit: list[Callable[[], None]] = []
        self._version, self._recid = counters

    @property
    def counters(self) -> tuple[int, int]:
        """The last version and the last record id that were taken."""
        return self._version, self._recid

    def next_version(self) -> int:
        """Take the next version (Dataverse `versionnumber`, database-wide)."""
        self._version += 1
        return self._version

    def next_recid(self) -> int:
        """Take the next Finance record id."""
        self._recid += 1
        return self._recid

    def next_versions(self, number: int) -> range:
        """Take as many versions at once."""
        self._version += number
        return range(self._version - number + 1, self._version + 1)

    def next_recids(self, number: int) -> range:
        """Take as many record ids at once."""
        self._recid += number
        return range(self._recid - number + 1, self._recid + 1)
