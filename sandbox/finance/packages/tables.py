"""Where data management keeps its state: in the store's database, so that a restart forgets nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

import sqlalchemy as sa

from sandbox.finance.packages.groups import SETS
from sandbox.store import Store
from sandbox.store.past import lagging
from sandbox.store.tables import build_table


@dataclass(frozen=True, slots=True)
class Execution:
    """One export.

    Attributes:
        execution_id: The client's id, or one of ours.
        group: Name of the definition group.
        company: Lower-case company that is exported.
        package_name: Name of the zip, without its suffix.
        status: NotRun, Executing, Succeeded or Failed.
        reexecute: Whether it repeats an earlier run of its own id.
    """

    execution_id: str
    group: str
    company: str
    package_name: str
    status: str
    reexecute: bool


class PackageTables:
    """The SQL tables of data management.

    Attributes:
        definitions: Tables of the entity sets, by set name.
        execution: One row an export.
        floor: Where the delta of an export began, by entity; what a re-execution starts from.
        change: How far a definition group has exported an entity of a company.
        blob: Finished packages.
    """

    def __init__(self, store: Store) -> None:
        """Declare the tables and create what is missing."""
        self._store = store
        self._lock = Lock()
        metadata = sa.MetaData()
        self.definitions: Mapping[str, sa.Table] = {it.name: build_table(it, metadata) for it in SETS}
        self.execution = sa.Table(
            "finance_dmf_execution",
            metadata,
            sa.Column("execution_id", sa.Text, primary_key=True),
            sa.Column("sequence", sa.BigInteger, nullable=False),
            sa.Column("definition_group", sa.Text, nullable=False),
            sa.Column("company", sa.Text, nullable=False),
            sa.Column("package_name", sa.Text, nullable=False),
            sa.Column("status", sa.Text, nullable=False),
            sa.Column("reexecute", sa.Boolean, nullable=False),
            sa.Column("errors", sa.Text, nullable=False),
            sa.Column("blob_id", sa.Text, nullable=False),
        )
        self.floor = sa.Table(
            "finance_dmf_floor",
            metadata,
            sa.Column("execution_id", sa.Text, primary_key=True),
            sa.Column("entity", sa.Text, primary_key=True),
            sa.Column("version", sa.BigInteger, nullable=False),
        )
        self.change = sa.Table(
            "finance_dmf_change",
            metadata,
            sa.Column("group_recid", sa.BigInteger, primary_key=True, autoincrement=False),
            sa.Column("entity", sa.Text, primary_key=True),
            sa.Column("company", sa.Text, primary_key=True),
            sa.Column("version", sa.BigInteger, nullable=False),
        )
        self.blob = sa.Table(
            "finance_dmf_blob",
            metadata,
            sa.Column("blob_id", sa.Text, primary_key=True),
            sa.Column("created", sa.Text, nullable=False),
            sa.Column("content", sa.LargeBinary, nullable=False),
        )
        self._epoch = sa.Table(
            "finance_dmf_epoch",
            metadata,
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("reset_version", sa.BigInteger, nullable=False),
        )
        metadata.create_all(store.engine)

    def forget_before_reset(self) -> None:
        """Empty everything where the store was emptied since data management was last used."""
        environment = self._store.environment
        with self._lock:
            # A stale read would take what was forgotten already for what has to be forgotten.
            with lagging(0), self._store.read() as connection:
                current = connection.execute(sa.select(environment.c.reset_version)).scalar_one()
                known = connection.execute(sa.select(self._epoch.c.reset_version)).scalar()
            if known == current:
                return
            with self._store.write() as unit:
                own = (self.execution, self.floor, self.change, self.blob, self._epoch)
                for table in (*self.definitions.values(), *own):
                    unit.connection.execute(sa.delete(table))
                unit.connection.execute(sa.insert(self._epoch).values(id=1, reset_version=current))
