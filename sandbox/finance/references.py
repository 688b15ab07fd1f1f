"""Which rows must exist before others: one table of foreign references, checked at each write.

A reference without a value is not checked. The parent is looked for in the company of the child,
without case. These are the references of the Project Operations maps; they make their load order
(parents first) matter here as it does in Finance.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from sandbox.finance.catalog import Catalog, inner_name
from sandbox.finance.errors import write_error
from sandbox.finance.values import is_blank
from sandbox.schema.model import Table
from sandbox.store import fold


@dataclass(frozen=True, slots=True)
class Reference:
    """A column that names a row of another set.

    Attributes:
        child: Entity set that refers.
        column: Its column.
        parent: Entity set that is referred to.
        parent_column: The column that is named; with the company it identifies the parent.
        what: The parent in a sentence.
        also: Further columns by which both sides must agree (child's: parent's).
        only_if: Value that another column of the child must have for the reference to be meant.
        owned: Whether the child goes when the parent is deleted.
    """

    child: str
    column: str
    parent: str
    parent_column: str
    what: str
    also: Mapping[str, str] = field(default_factory=dict)
    only_if: tuple[str, str] | None = None
    owned: bool = False


_CONTRACT = ("ProjectContractHeaders", "ProjectContractId", "Project contract")
_PROJECT = ("ProjectsV2", "ProjectId", "Project")
_CUSTOMER = ("CustomersV3", "CustomerAccount", "Customer account")

REFERENCES = (
    Reference("ProjectContractHeaders", "CustomerAccountNumber", *_CUSTOMER),
    Reference("ProjectFundingSources", "ProjectContractID", *_CONTRACT),
    Reference(
        "ProjectFundingSources", "CustomerOrOrganization", *_CUSTOMER, only_if=("FundingType", "Customer")
    ),
    Reference("ProjectsV2", "ProjectContractId", *_CONTRACT),
    Reference("ProjectsV2", "CustomerAccountNumber", *_CUSTOMER),
    Reference("ProjectsV2", "ParentProjectId", *_PROJECT),
    Reference("ProjectContractLines", "ProjectContractId", *_CONTRACT),
    Reference("ProjectContractLines", "LineProjectId", *_PROJECT),
    Reference("ProjectTasks", "ProjectId", *_PROJECT),
    Reference("ProjectContractLineMilestones", "ProjectContractId", *_CONTRACT),
    Reference("ProjectContractLineMilestones", "ProjectNumber", *_PROJECT),
    Reference(
        "ProjectContractLineMilestones",
        "ContractLineId",
        "ProjectContractLines",
        "ContractLineId",
        "Project contract line",
        also={"ProjectContractId": "ProjectContractId"},
    ),
    Reference(
        "DataManagementDefinitionGroupDetails",
        "DefinitionGroupId",
        "DataManagementDefinitionGroups",
        "Name",
        "Definition group",
        owned=True,
    ),
)


def check_references(
    connection: sa.Connection, catalog: Catalog, table: Table, row: Mapping[str, Any], named: frozenset[str]
) -> None:
    """Refuse a row whose company, or whose parent, does not exist.

    Args:
        connection: Of the write transaction.
        catalog: The entity sets.
        table: The entity set that is written.
        row: The row as it will be.
        named: Columns that the request sets; references of other columns stand as they are.

    Raises:
        FinanceError: "... does not exist", naming column and value.
    """
    missing = [*_missing_company(connection, catalog, table, row)]
    missing += [
        f"The value '{row[it.column]}' in field '{it.column}' is not found in the related table "
        f"'{it.what}'. {it.what} {row[it.column]} does not exist"
        for it in REFERENCES
        if it.child == table.name and it.column in named and not _found(connection, catalog, it, row)
    ]
    if missing:
        raise write_error(inner_name(table), "\n".join(f"Error: {line}." for line in missing))


def delete_owned(connection: sa.Connection, catalog: Catalog, table: Table, row: Mapping[str, Any]) -> None:
    """Delete the rows that belong to a row that was deleted."""
    for it in REFERENCES:
        if it.owned and it.parent == table.name:
            child = catalog.sql(catalog.sets[it.child])
            connection.execute(
                sa.delete(child).where(fold(child.c[it.column]) == fold(row[it.parent_column]))
            )


def _missing_company(
    connection: sa.Connection, catalog: Catalog, table: Table, row: Mapping[str, Any]
) -> Iterator[str]:
    if table.company_column is None:
        return
    company = row[table.company_column]
    entities = catalog.sql(catalog.sets["LegalEntities"])
    known = sa.select(entities.c.recid).where(fold(entities.c.LegalEntityId) == fold(company))
    if connection.execute(known).first() is None:
        yield f"The company '{company}' does not exist"


def is_meant(reference: Reference, child: Table, row: Mapping[str, Any]) -> bool:
    """Whether a row refers to anything: the column has a value, and the row is of the kind that refers."""
    if is_blank(child.columns[reference.column], row[reference.column]):
        return False
    return reference.only_if is None or row[reference.only_if[0]] == reference.only_if[1]


def _found(connection: sa.Connection, catalog: Catalog, reference: Reference, row: Mapping[str, Any]) -> bool:
    child, parent = catalog.sets[reference.child], catalog.sets[reference.parent]
    if not is_meant(reference, child, row):
        return True
    sql = catalog.sql(parent)
    pairs = {reference.column: reference.parent_column, **reference.also}
    conditions = [fold(sql.c[theirs]) == fold(row[ours]) for ours, theirs in pairs.items()]
    if child.company_column is not None:
        conditions += catalog.company_condition(parent, row[child.company_column].lower())
    return connection.execute(sa.select(sql.c.recid).where(*conditions).limit(1)).first() is not None
