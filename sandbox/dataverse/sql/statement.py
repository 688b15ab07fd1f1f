"""A SELECT of T-SQL, read and held against the part of the language that Dataverse takes.

TOP and OFFSET ... FETCH are taken as Microsoft's client for Python has them [C], though the documentation of
the query option says that they are not [?].
"""

from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from sandbox.dataverse.errors import ApiError, bad_request

MOST_ROWS = 5_000  # of TOP and FETCH [C]

_MOST_JOINS = 15  # as of $expand [?]; SQLite takes 63
_METHODS: dict[type[exp.Expr], str] = {
    exp.Count: "count",
    exp.Sum: "sum",
    exp.Avg: "average",
    exp.Min: "min",
    exp.Max: "max",
}
_SHORT = {"average": "avg"}
_CLAUSES = frozenset(
    {"expressions", "from_", "joins", "where", "group", "order", "limit", "offset", "distinct"}
)
_TABLE_PARTS = frozenset({"this", "alias"})
_WORDS = {"with_": "WITH", "having": "HAVING", "laterals": "APPLY", "into": "INTO", "for_": "FOR"}


@dataclass(frozen=True, slots=True)
class Name:
    """A column as it is named: `a.name`, or `name` without a table."""

    table: str
    column: str


@dataclass(frozen=True, slots=True)
class Output:
    """A result of SELECT.

    Attributes:
        name: The column; None for `COUNT(*)`.
        alias: What it is called in the answer, "" where the column's own name does.
        method: Aggregate function, "" for the plain value.
    """

    name: Name | None
    alias: str
    method: str = ""

    @property
    def default_alias(self) -> str:
        """What an aggregate without an alias is called: `count`, `sum_revenue` [?]."""
        method = _SHORT.get(self.method, self.method)
        return f"{method}_{self.name.column}" if self.name else method


@dataclass(frozen=True, slots=True)
class Source:
    """A table of FROM or JOIN.

    Attributes:
        table: Logical name.
        alias: What columns name it by.
        on: Condition of a join, None for FROM.
        outer: Whether rows without a partner stay (LEFT JOIN).
    """

    table: str
    alias: str
    on: exp.Expr | None = None
    outer: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    """A SELECT that Dataverse takes.

    Attributes:
        outputs: What is selected.
        sources: The table of FROM, then the joined ones.
        where: Condition on rows.
        groups: Columns of GROUP BY.
        order: Columns or aliases of ORDER BY, and whether each is descending.
        distinct: Whether equal rows are one.
        top: Most rows, None without TOP or FETCH.
        offset: Rows that are left out at the beginning.
    """

    outputs: tuple[Output, ...]
    sources: tuple[Source, ...]
    where: exp.Expr | None
    groups: tuple[Name, ...]
    order: tuple[tuple[Name, bool], ...]
    distinct: bool
    top: int | None
    offset: int

    @property
    def grouped(self) -> bool:
        """Whether rows of the answer stand for several rows of the tables."""
        return self.distinct or bool(self.groups) or any(output.method for output in self.outputs)


def read_statement(text: str) -> Statement:
    """Read a statement.

    Raises:
        ApiError: 400 for what is no T-SQL, more than one statement, or more than Dataverse takes.
    """
    select = _parsed(text)
    for part, value in select.args.items():
        if value and part not in _CLAUSES:
            raise unsupported(_WORDS.get(part, part.strip("_").upper()))
    from_, where, group, order = (select.args.get(part) for part in ("from_", "where", "group", "order"))
    if from_ is None:
        raise bad_request("The SQL statement needs a FROM clause with the table of the entity set.")
    distinct = select.args.get("distinct")
    if distinct is not None and distinct.args.get("on"):
        raise unsupported("ON")
    joins = select.args.get("joins") or ()
    if len(joins) > _MOST_JOINS:
        raise bad_request(f"A SQL statement can join {_MOST_JOINS} tables.")
    return Statement(
        outputs=tuple(_output(each) for each in select.expressions),
        sources=(_source(from_.this), *map(_join, joins)),
        where=where.this if where else None,
        groups=_groups(group) if group else (),
        order=tuple(_ordered(each) for each in order.expressions) if order else (),
        distinct=distinct is not None,
        top=_most(select.args.get("limit")),
        offset=_number(select.args["offset"].expression, "OFFSET") if select.args.get("offset") else 0,
    )


def column_name(node: exp.Expr) -> Name:
    """Return the column that a node names; names are compared without regard to case.

    Raises:
        ApiError: When it is anything else.
    """
    if not isinstance(node, exp.Column) or isinstance(node.this, exp.Star) or node.args.get("db"):
        raise unsupported(near(node))
    return Name(node.table.lower(), node.name.lower())


def unsupported(word: str) -> ApiError:
    """A part of SQL that Dataverse does not take; the sentence is that of a client's tests [C]."""
    return bad_request(f"Syntax error near '{word}'. {word} is not supported in SQL queries.")


def near(node: exp.Expr) -> str:
    """Return a name for a part of a statement, for messages."""
    return type(node).__name__.upper()


def _parsed(text: str) -> exp.Select:
    try:
        statements = [each for each in sqlglot.parse(text, dialect="tsql") if each is not None]
    except SqlglotError as error:
        found = getattr(error, "errors", None) or [{}]
        raise bad_request(f"Incorrect syntax near '{found[0].get('highlight', text[:50])}'.") from None
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        raise bad_request("Incorrect syntax: the SQL statement cannot be read.") from None
    if len(statements) != 1:
        raise bad_request("The query option 'sql' takes exactly one SELECT statement.")
    select = statements[0]
    if not isinstance(select, exp.Select):
        raise unsupported(near(select))
    return select


def _output(node: exp.Expr) -> Output:
    alias = node.alias if isinstance(node, exp.Alias) else ""
    inner = node.this if isinstance(node, exp.Alias) else node
    if isinstance(inner, exp.Star):
        raise bad_request("SELECT * is not supported: name each column that you want.")
    if (method := _METHODS.get(type(inner))) is None:
        return Output(column_name(inner), alias)
    if inner.expressions:
        raise unsupported(near(inner))
    argument = inner.this
    if isinstance(argument, exp.Star) and method == "count":
        return Output(None, alias, method)
    if isinstance(argument, exp.Distinct):
        if method != "count" or len(argument.expressions) != 1:
            raise unsupported("DISTINCT")
        return Output(column_name(argument.expressions[0]), alias, "countdistinct")
    return Output(column_name(argument), alias, method)


def _source(node: exp.Expr, on: exp.Expr | None = None, outer: bool = False) -> Source:
    if not isinstance(node, exp.Table):
        raise unsupported(near(node))
    for part, value in node.args.items():
        if value and part not in _TABLE_PARTS:
            raise unsupported(part.strip("_").upper())
    return Source(node.name.lower(), (node.alias or node.name).lower(), on, outer)


def _join(node: exp.Join) -> Source:
    side, kind = str(node.side).upper(), str(node.kind).upper()
    if side not in {"", "LEFT"} or kind not in {"", "INNER", "OUTER"} or node.args.get("method"):
        raise unsupported(f"{side or kind or node.args['method']} JOIN".upper())
    if node.args.get("on") is None:
        raise unsupported("JOIN without ON")
    return _source(node.this, node.args["on"], side == "LEFT")


def _groups(group: exp.Group) -> tuple[Name, ...]:
    for part, value in group.args.items():
        if value and part != "expressions":
            raise unsupported(part.upper())
    return tuple(column_name(each) for each in group.expressions)


def _ordered(node: exp.Expr) -> tuple[Name, bool]:
    if not isinstance(node, exp.Ordered):
        raise unsupported(near(node))
    return column_name(node.this), bool(node.args.get("desc"))


def _most(limit: exp.Expr | None) -> int | None:
    """The number of TOP or FETCH."""
    if limit is None:
        return None
    options = limit.args.get("limit_options")
    if limit.args.get("expressions") or (
        options is not None and (options.args["percent"] or options.args["with_ties"])
    ):
        raise unsupported("TOP PERCENT")
    count = limit.args.get("count") if isinstance(limit, exp.Fetch) else limit.expression
    if count is None:
        raise unsupported(near(limit))
    number = _number(count, "TOP")
    if number > MOST_ROWS:
        raise bad_request(f"TOP takes numbers from 0 to {MOST_ROWS}.")
    return number


def _number(node: exp.Expr, word: str) -> int:
    inner = node.this if isinstance(node, exp.Paren) else node
    if not isinstance(inner, exp.Literal) or not inner.name.isdecimal() or len(inner.name) > len("999999999"):
        raise bad_request(f"{word} takes a whole number.")
    return int(inner.name)
