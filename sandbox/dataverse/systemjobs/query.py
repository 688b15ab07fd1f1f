"""Which rows a QueryExpression means: its conditions, said as an OData filter [D]."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from sandbox.dataverse.api import Api
from sandbox.dataverse.entities import NAMESPACE, Entity, wire_name
from sandbox.dataverse.errors import INVALID_ARGUMENT, ApiError, bad_request
from sandbox.dataverse.reading import filter_profile
from sandbox.odata.filter import compile_filter
from sandbox.schema.model import Column
from sandbox.store.types import TEXT_TYPES

_COMPARED = {
    "Equal": "eq",
    "NotEqual": "ne",
    "GreaterThan": "gt",
    "GreaterEqual": "ge",
    "LessThan": "lt",
    "LessEqual": "le",
    "Like": "eq",  # a text with wildcards compares by them
}
_LISTED = frozenset({"In", "NotIn", "Between", "NotBetween", "ContainValues", "DoesNotContainValues"})
_DEEPEST = 20
_MOST = 2**31


def rows_of_query(api: Api, query: Mapping[str, Any]) -> tuple[Entity, sa.Select[Any]]:
    """Return the table of a QueryExpression and the select of its rows' GUIDs.

    Args:
        api: The environment.
        query: `EntityName`, `Criteria` with `FilterOperator`, `Conditions` and `Filters`, `TopCount`.

    Raises:
        ApiError: When a table, column or operator is unknown, or tables are joined.
        ODataError: When a value does not fit its column.
    """
    entity = api.entities.by_name.get(str(query.get("EntityName", "")))
    if entity is None:
        raise _invalid(f"There is no table with the name '{query.get('EntityName', '')}' in QuerySet.")
    if query.get("LinkEntities"):
        raise _invalid("LinkEntities are not taken here: name the rows by columns of their own table.")
    text = _group(entity, query.get("Criteria") or {}, _DEEPEST)
    select = sa.select(entity.id_column).order_by(entity.id_column)
    if text:
        select = select.where(compile_filter(text, api.entities.scope(entity), filter_profile(api)))
    top = query.get("TopCount")
    if top is None:
        return entity, select
    if type(top) is not int or not 0 < top < _MOST:
        raise _invalid(f"TopCount must be a number of rows, not {str(top)[:50]}.")
    return entity, select.limit(top)


def _group(entity: Entity, criteria: object, depth: int) -> str:
    if not isinstance(criteria, Mapping) or depth == 0:
        raise _invalid("Criteria must be a FilterExpression, nested 20 deep at most.")
    joint = str(criteria.get("FilterOperator", "And")).lower()
    if joint not in {"and", "or", "0", "1"}:
        raise _invalid(f"The FilterOperator must be And or Or, not '{criteria['FilterOperator']}'.")
    parts = [_condition(entity, condition) for condition in _list(criteria, "Conditions")]
    parts += [text for inner in _list(criteria, "Filters") if (text := _group(entity, inner, depth - 1))]
    return f" {'or' if joint in {'or', '1'} else 'and'} ".join(f"({part})" for part in parts)


def _list(criteria: Mapping[str, Any], name: str) -> Sequence[Any]:
    value = criteria.get(name) or []
    if not isinstance(value, list):
        raise _invalid(f"{name} must be a list.")
    return value


def _condition(entity: Entity, condition: object) -> str:
    if not isinstance(condition, Mapping):
        raise _invalid("Each of Conditions must be a ConditionExpression.")
    name, operator = str(condition.get("AttributeName", "")), str(condition.get("Operator", ""))
    column = entity.table.columns.get(name)
    if column is None or column.write_only:
        raise _invalid(f"'{entity.table.name}' entity doesn't contain attribute with Name = '{name}'.")
    wire = wire_name(column)
    values = [_plain(value) for value in _list(condition, "Values")]
    if operator in {"Null", "NotNull"}:
        return f"{wire} {'eq' if operator == 'Null' else 'ne'} null"
    if operator in _COMPARED:
        return f"{wire} {_COMPARED[operator]} {_literal(column, _one(values, operator))}"
    if operator == "NotLike":
        return f"not ({wire} eq {_literal(column, _one(values, operator))})"
    if operator in {"Contains", "DoesNotContain"}:
        found = f"contains({wire},{_quoted(_one(values, operator))})"
        return found if operator == "Contains" else f"not {found}"
    return _function(operator, wire, values)


def _function(operator: str, wire: str, values: list[str]) -> str:
    """Say an operator as the query function of its name, which refuses what it does not know."""
    if not operator.isalnum():
        raise _invalid(f"'{operator}' is no ConditionOperator.")
    texts = [_quoted(value) for value in values]
    given = ""
    if operator in _LISTED or len(texts) > 1:
        given = f",PropertyValues=[{','.join(texts)}]"
    elif texts:
        given = f",PropertyValue={texts[0]}"
    return f"{NAMESPACE}.{operator}(PropertyName='{wire}'{given})"


def _plain(value: object) -> str:
    """Read one of Values: `{"Value": .., "Type": "System.Guid"}`, or the bare value."""
    bare = value.get("Value") if isinstance(value, Mapping) else value
    if isinstance(bare, bool):
        return str(bare).lower()
    if bare is None or isinstance(bare, list | dict):
        raise _invalid('Each of Values must be {"Value": a text or a number, "Type": its .NET type}.')
    return str(bare)


def _one(values: list[str], operator: str) -> str:
    if len(values) != 1:
        raise _invalid(f"The ConditionOperator {operator} needs one value, and {len(values)} came.")
    return values[0]


def _literal(column: Column, text: str) -> str:
    return _quoted(text) if column.type in TEXT_TYPES else text


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _invalid(message: str) -> ApiError:
    return bad_request(message, INVALID_ARGUMENT)
