"""Where data management keeps its state: in the store's database, so that a restart forgets nothing."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock

import sqlalchemy as sa

from sandbox.finance.packages.groups import SETS
from sandbox.store import Store
from sandbox.store.past import lagging
from sandbox.store.tables import build_table


class Status(StrEnum):
    """Where an execution stands [D]."""

    NOT_RUN = "NotRun"
    EXECUTING = "Executing"
    SUCCEEDED = "Succeeded"
    PARTIALLY_SUCCEEDED = "PartiallySucceeded"
    FAILED = "Failed"


UNDER_WAY = (Status.NOT_RUN, Status.EXECUTING)


@dataclass(frozen=True, slots=True)
class Execution:
    """One export or one import.

    Attributes:
        execution_id: The client's id, or one of ours.
        operation: `Export` or `Import`.
        group: Name of the definition group.
        company: Lower-case company that is exported, or imported into.
        package_name: Name of the zip, without its suffix.
        status: Where it stands.
        reexecute: Whether it repeats an earlier run of its own id.
        execute: Whether an import goes on from staging to the target.
        blob_id: The package, "" while there is none.
    """

    execution_id: str
    operation: str
    group: str
    company: str
    package_name: str
    status: str = Status.NOT_RUN
    reexecute: bool = False
    execute: bool = True
    blob_id: str = ""


class PackageTables:
    """The SQL tables of data management.

    Attributes:
        definitions: Tables of the entity sets, by set name.
        execution: One row an export or import.
        step: One row for each entity of an import: what the package says of it, and how far it is.
        error: One row for each thing that went wrong in an execution.
        floor: Where the delta of an export began, by entity; what a re-execution starts from.
        change: How far a definition group has exported an entity of a company.
        blob: Packages and error files.
        block: Their content, in pieces.
    """

    def __init__(self, store: Store) -> None:
        """Declare the tables and create what is missing.

        Raises:
            OtherVersionError: Another version of the sandbox made them.
        """
        self._store = store
        self._lock = Lock()
        metadata = sa.MetaData()
        self.definitions: Mapping[str, sa.Table] = {it.name: build_table(it, metadata) for it in SETS}
        self.execution = _execution_table(metadata)
        self.step = _step_table(metadata)
        self.error = _error_table(metadata)
        self.floor, self.change = _change_tables(metadata)
        self.blob, self.block = _blob_tables(metadata)
        self._epoch = sa.Table(
            "finance_dmf_epoch",
            metadata,
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("reset_version", sa.BigInteger, nullable=False),
            sa.Column("signing_key", sa.Text, nullable=False),
        )
        store.create_tables(metadata)

    def signing_key(self, connection: sa.Connection) -> bytes | None:
        """Return the secret of this environment's links: they outlive a restart, and end with a reset.

        Returns:
            None where the store was emptied since data management was last used.
        """
        if not self.is_current(connection):
            return None
        return str(connection.execute(sa.select(self._epoch.c.signing_key)).scalar_one()).encode()

    def is_current(self, connection: sa.Connection) -> bool:
        """Say whether the store is the one that the executions belong to, and was not emptied meanwhile."""
        current = sa.select(self._store.environment.c.reset_version).scalar_subquery()
        query = sa.select(self._epoch.c.id).where(self._epoch.c.reset_version == current)
        return connection.execute(query).first() is not None

    def forget_before_reset(self) -> None:
        """Empty everything where the store was emptied since data management was last used."""
        with self._lock:
            # A stale read would take what was forgotten already for what has to be forgotten.
            with lagging(0), self._store.read() as connection:
                if self.is_current(connection):
                    return
                current = connection.execute(sa.select(self._store.environment.c.reset_version)).scalar_one()
            with self._store.write() as unit:
                own = (self.execution, self.step, self.error, self.floor, self.change, self.blob, self.block)
                for table in (*self.definitions.values(), *own, self._epoch):
                    unit.connection.execute(sa.delete(table))
                row = {"id": 1, "reset_version": current, "signing_key": secrets.token_hex(32)}
                unit.connection.execute(sa.insert(self._epoch).values(row))


def _execution_table(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "finance_dmf_execution",
        metadata,
        sa.Column("execution_id", sa.Text, primary_key=True),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("definition_group", sa.Text, nullable=False),
        sa.Column("company", sa.Text, nullable=False),
        sa.Column("package_name", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("reexecute", sa.Boolean, nullable=False),
        sa.Column("execute", sa.Boolean, nullable=False),
        sa.Column("blob_id", sa.Text, nullable=False),
    )


def _step_table(metadata: sa.MetaData) -> sa.Table:
    """Declare `step`; the counts that clients see are a row of DataManagementExecutionJobDetails."""
    return sa.Table(
        "finance_dmf_step",
        metadata,
        sa.Column("execution_id", sa.Text, primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("entity", sa.Text, nullable=False),
        sa.Column("done", sa.BigInteger, nullable=False),  # rows of the file that the target is through with
        sa.Column("staging_blob", sa.Text, nullable=False),
        sa.Column("keys_blob", sa.Text, nullable=False),
    )


def _error_table(metadata: sa.MetaData) -> sa.Table:
    error = sa.Table(
        "finance_dmf_error",
        metadata,
        sa.Column("execution_id", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("row", sa.BigInteger, nullable=False),  # of the data file, from 1; 0: the file itself
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("record_id", sa.Text, nullable=False),
        sa.Column("record", sa.Text, nullable=False),  # the row as it was sent, JSON
    )
    sa.Index("finance_dmf_error_of", error.c.execution_id, error.c.position, error.c.row)
    return error


def _change_tables(metadata: sa.MetaData) -> tuple[sa.Table, sa.Table]:
    floor = sa.Table(
        "finance_dmf_floor",
        metadata,
        sa.Column("execution_id", sa.Text, primary_key=True),
        sa.Column("entity", sa.Text, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    change = sa.Table(
        "finance_dmf_change",
        metadata,
        sa.Column("group_recid", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("entity", sa.Text, primary_key=True),
        sa.Column("company", sa.Text, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    return floor, change


def _blob_tables(metadata: sa.MetaData) -> tuple[sa.Table, sa.Table]:
    """Declare `blob` and `block`: a block is what one PUT brought, in pieces that memory can hold."""
    blob = sa.Table(
        "finance_dmf_blob",
        metadata,
        sa.Column("blob_id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("modified", sa.Text, nullable=False),
        sa.Column("content_type", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger),  # null until something was committed
        sa.Column("uploads", sa.Text, nullable=False),  # JSON list, in the order of the content
    )
    block = sa.Table(
        "finance_dmf_block",
        metadata,
        sa.Column("upload", sa.Text, primary_key=True),
        sa.Column("piece", sa.Integer, primary_key=True),
        sa.Column("blob_id", sa.Text, nullable=False),
        sa.Column("block_id", sa.Text, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    sa.Index("finance_dmf_block_of", block.c.blob_id)
    return blob, block
