"""Query functions of hierarchies: rows above and below another row [D, query hierarchical data].

A table's hierarchy is its first lookup to itself whose name says `parent` (parentaccountid,
msdyn_parenttask, ...) [?]. A loop of parents ends where it began.
"""

import sqlalchemy as sa

from sandbox.dataverse.queryfunctions.calls import Call, Condition, Function
from sandbox.odata.errors import ODataError, TypeMismatchError
from sandbox.odata.literals import Kind
from sandbox.odata.scope import Scope, navigation
from sandbox.schema.model import ColumnType, Table


def _under(call: Call) -> Condition:
    rows, parent = _rows(call), _parent(call)
    children = sa.select(rows.c[_own_id(call)].label("row_id")).where(rows.c[parent] == _root(call))
    tree = children.cte(recursive=True)
    below = rows.alias()
    deeper = sa.select(below.c[_own_id(call)]).where(below.c[parent] == tree.c.row_id)
    return call.term.sql.in_(sa.select(tree.union(deeper).c.row_id))


def _above(call: Call) -> Condition:
    rows, parent, own = _rows(call), _parent(call), _own_id(call)
    first = sa.select(rows.c[parent].label("row_id")).where(rows.c[own] == _root(call))
    tree = first.cte(recursive=True)
    upper = rows.alias()
    higher = sa.select(upper.c[parent]).where(upper.c[own] == tree.c.row_id)
    chain = tree.union(higher)
    return call.term.sql.in_(sa.select(chain.c.row_id).where(chain.c.row_id.is_not(None)))


def _or_equal(function: Function) -> Function:
    return lambda call: sa.or_(function(call), call.term.sql == _root(call))


def _not_under(call: Call) -> Condition:
    return sa.and_(call.term.sql.is_not(None), sa.not_(_under(call)))


def _own_id(call: Call) -> str:
    """Return the primary id of the table whose rows form the hierarchy."""
    return _scope(call).table.primary_id or ""


def _root(call: Call) -> sa.ColumnElement[str]:
    return sa.literal(call.some(1)[0], call.term.sql.type)


def _scope(call: Call) -> Scope:
    """The table of the hierarchy: the filtered one by its primary id, another one by a lookup to it."""
    column = call.term.column
    if call.term.kind is not Kind.GUID or column is None:
        raise _no_hierarchy(call)
    single = column.type is ColumnType.LOOKUP and len(column.targets) == 1
    if single and column.name in call.scope.table.columns:
        return navigation(call.scope, column.name, call.profile).target
    if column.name != call.scope.table.primary_id:
        raise _no_hierarchy(call)
    return call.scope


def _no_hierarchy(call: Call) -> TypeMismatchError:
    return TypeMismatchError(f"The function '{call.name}' takes a primary id, or a lookup to one table.")


def _rows(call: Call) -> sa.FromClause:
    rows = _scope(call).sql
    return (rows.element if isinstance(rows, sa.Alias) else rows).alias()


def _parent(call: Call) -> str:
    table: Table = _scope(call).table
    for column in table.columns.values():
        if column.targets == (table.name,) and "parent" in column.name:
            return column.name
    raise ODataError(f"The function '{call.name}' needs a hierarchy, and '{table.name}' has none.")


HIERARCHY: dict[str, Function] = {
    "Above": _above,
    "AboveOrEqual": _or_equal(_above),
    "Under": _under,
    "UnderOrEqual": _or_equal(_under),
    "NotUnder": _not_under,
}
