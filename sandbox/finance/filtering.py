"""`$filter` of Finance."""

import sqlalchemy as sa

from sandbox.finance.catalog import PROFILE, WITHOUT_TEXT_FUNCTIONS, Catalog
from sandbox.finance.errors import FinanceError
from sandbox.finance.request import DataRequest
from sandbox.odata.filter import compile_filter
from sandbox.odata.grammar import alias_texts, tokenize
from sandbox.odata.scope import Scope
from sandbox.schema.model import Table

_TEXT_FUNCTIONS = frozenset({"contains", "startswith", "endswith"})


def filter_condition(
    catalog: Catalog, table: Table, text: str, request: DataRequest
) -> sa.ColumnElement[bool]:
    """The SQL condition of a `$filter`.

    Args:
        catalog: The entity sets.
        table: The set that it filters.
        text: The expression.
        request: Whose parameter aliases are taken.

    Raises:
        FinanceError: The entity takes no text functions.
        ODataError: It is no filter, or one that Finance refuses.
    """
    if table.name in WITHOUT_TEXT_FUNCTIONS:
        _refuse_text_functions(table, text)
    try:
        return compile_filter(text, Scope(table, catalog.sql(table)), PROFILE, alias_texts(request.options))
    except RecursionError:  # a path of thousands of names is read name by name
        raise FinanceError(400, "The recursion limit of the filter expression has been exceeded.") from None


def _refuse_text_functions(table: Table, text: str) -> None:
    for token in tokenize(text):
        name = token.value.name.lower() if token.type == "ODATA_IDENTIFIER" else ""
        if name in _TEXT_FUNCTIONS:
            raise FinanceError(400, f"The function '{name}' is not supported for the entity '{table.name}'.")
