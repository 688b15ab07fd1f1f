"""Tables and conditions of a statement, as SQL of our own with every value a bound parameter."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlglot import exp

from sandbox.dataverse.comparisons import Condition, Place, between, compared, like, member, text_term
from sandbox.dataverse.entities import Entities, Entity
from sandbox.dataverse.errors import bad_request
from sandbox.dataverse.sql.statement import Name, Source, Statement, column_name, near, unsupported
from sandbox.odata.errors import ODataError
from sandbox.odata.filter import MAX_DEPTH
from sandbox.odata.scope import Term

_MOST_CONDITIONS = 500  # as of any filter [D]
_PARTS = frozenset({"this", "expression", "expressions", "low", "high", "negate"})
_COMPARISONS: Mapping[type[exp.Expr], str] = {
    exp.EQ: "__eq__",
    exp.NEQ: "__ne__",
    exp.GT: "__gt__",
    exp.GTE: "__ge__",
    exp.LT: "__lt__",
    exp.LTE: "__le__",
}


@dataclass(frozen=True)
class Tables:
    """The tables of a statement by alias, the one of FROM first."""

    places: Mapping[str, Place]

    @property
    def base(self) -> Place:
        """The table of FROM."""
        return next(iter(self.places.values()))

    def term(self, name: Name) -> Term:
        """Return the column that a name means, by its logical name.

        Raises:
            ApiError: When no table, or several, have it.
        """
        if name.table and name.table not in self.places:
            raise bad_request(f"The multi-part identifier '{name.table}.{name.column}' could not be bound.")
        places = [self.places[name.table]] if name.table else list(self.places.values())
        terms = [term for place in places if (term := place.term(name.column)) is not None]
        if not terms:
            raise bad_request(f"Invalid column name '{name.column}'.")
        if len(terms) > 1:
            raise bad_request(f"Ambiguous column name '{name.column}'.")
        return terms[0]


def read_tables(statement: Statement, entities: Entities, entity: Entity) -> Tables:
    """Find the tables of a statement; that of FROM must be the one of the entity set.

    Raises:
        ApiError: When one does not exist, or two have the same alias.
    """
    places: dict[str, Place] = {}
    for source in statement.sources:
        found = entities.by_name.get(source.table)
        if found is None:
            raise bad_request(f"Invalid object name '{source.table}'.")
        if source.alias in places:
            raise bad_request(f"The correlation name '{source.alias}' is specified multiple times.")
        places[source.alias] = Place(found, found.sql.alias() if places else found.sql)
    tables = Tables(places)
    if tables.base.entity is not entity:
        raise bad_request(
            f"The table '{statement.sources[0].table}' of the SQL statement is not the one of the entity set "
            f"'{entity.table.entity_set}'."
        )
    return tables


def joined(statement: Statement, tables: Tables) -> sa.FromClause:
    """Return the tables joined as the statement says."""
    rows: sa.FromClause = tables.base.sql
    for source in statement.sources[1:]:
        rows = rows.join(tables.places[source.alias].sql, _on(source, tables), isouter=source.outer)
    return rows


def where(statement: Statement, tables: Tables) -> Condition:
    """Return the condition of WHERE: columns compared with literals [D]."""
    if statement.where is None:
        return sa.true()
    return _Conditions(tables).condition(statement.where)


def _on(source: Source, tables: Tables) -> Condition:
    if source.on is None:
        raise unsupported("JOIN without ON")
    return _Conditions(tables, columns=True).condition(source.on)


@dataclass
class _Conditions:
    """Compiles one clause, and counts its conditions.

    Attributes:
        tables: What names mean.
        columns: Whether a column may be compared with another one, as in ON.
        count: Conditions so far.
        depth: How many stand around this one.
    """

    tables: Tables
    columns: bool = False
    count: int = 0
    depth: int = 0

    def condition(self, node: exp.Expr) -> Condition:
        """A node where true or false is wanted."""
        if isinstance(node, exp.And | exp.Or | exp.Not | exp.Paren):
            return self._composed(node)
        self._counted()
        form = _FORMS.get(type(node))
        if form is None or any(value for part, value in node.args.items() if part not in _PARTS):
            raise unsupported(near(node))
        condition = form(self, node)
        return sa.not_(condition) if node.args.get("negate") else condition

    def _composed(self, node: exp.Expr) -> Condition:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ODataError("The conditions of the SQL statement are nested too deeply.")
        chain = isinstance(node, exp.And | exp.Or)
        parts = [self.condition(part) for part in (node.flatten() if chain else [node.this])]
        self.depth -= 1
        if isinstance(node, exp.Not):
            return sa.not_(parts[0])
        return sa.or_(*parts) if isinstance(node, exp.Or) else sa.and_(*parts)

    def _counted(self) -> None:
        self.count += 1
        if self.count > _MOST_CONDITIONS:
            raise ODataError(f"Number of conditions in query exceeded maximum limit of {_MOST_CONDITIONS}.")

    def compared(self, node: exp.Expr) -> Condition:
        """A column and a literal; in ON a column and another one."""
        left = self.tables.term(column_name(node.this))
        if isinstance(node.expression, exp.Column):
            if not self.columns:
                raise bad_request("A WHERE clause compares a column with a literal value.")
            right = self.tables.term(column_name(node.expression))
        else:
            right = _value_term(left, node.expression)
        return compared(_COMPARISONS[type(node)], left, right)

    def like(self, node: exp.Expr) -> Condition:
        """`x LIKE 'a%'`."""
        term = self.tables.term(column_name(node.this))
        found = like(term, _text_of(node.expression))
        if found is None:
            raise bad_request(f"LIKE takes text columns, and '{node.this.name}' is none.")
        return found

    def member(self, node: exp.Expr) -> Condition:
        """`x IN (1, 2)`."""
        term = self.tables.term(column_name(node.this))
        self.count += len(node.expressions) - 1
        self._counted()
        return member(term, [_value_term(term, each) for each in node.expressions])

    def null(self, node: exp.Expr) -> Condition:
        """`x IS NULL`."""
        if not isinstance(node.expression, exp.Null):
            raise unsupported("IS")
        return self.tables.term(column_name(node.this)).sql.is_(None)

    def between(self, node: exp.Expr) -> Condition:
        """`x BETWEEN 1 AND 2`."""
        term = self.tables.term(column_name(node.this))
        return between(term, *(_value_term(term, node.args[part]) for part in ("low", "high")))


_FORMS: Mapping[type[exp.Expr], Callable[[_Conditions, exp.Expr], Condition]] = {
    exp.Like: _Conditions.like,
    exp.In: _Conditions.member,
    exp.Between: _Conditions.between,
    exp.Is: _Conditions.null,
    **dict.fromkeys(_COMPARISONS, _Conditions.compared),
}


def _value_term(term: Term, node: exp.Expr) -> Term:
    """A literal as the other side of a column: `= NULL` is true of nothing, as in SQL."""
    if isinstance(node, exp.Null):
        return Term(sa.literal(None, term.sql.type), term.kind)
    return text_term(term, _text_of(node))


def _text_of(node: exp.Expr) -> str:
    match node:
        case exp.Neg(this=exp.Literal(is_string=False) as inner):
            return f"-{inner.name}"
        case exp.Literal() | exp.National():
            return str(node.name)
    raise bad_request("A WHERE clause compares a column with a literal value.")
