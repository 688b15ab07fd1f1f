"""The query functions `Microsoft.Dynamics.CRM.*` of a $filter [D, Web API query function reference].

calls      what a call names: its property, its values, who calls and when
values     lists, ranges, texts, choices
moments    days, weeks, months, hours around the present
fiscal     periods and years of the fiscal calendar
hierarchy  rows above and below others
identity   the calling user, business unit and language
"""

from collections.abc import Callable

from sandbox.dataverse.entities import NAMESPACE
from sandbox.dataverse.queryfunctions.calls import Caller, Condition, Function, read_call
from sandbox.dataverse.queryfunctions.fiscal import FISCAL
from sandbox.dataverse.queryfunctions.hierarchy import HIERARCHY
from sandbox.dataverse.queryfunctions.identity import IDENTITY
from sandbox.dataverse.queryfunctions.moments import MOMENTS
from sandbox.dataverse.queryfunctions.values import VALUES
from sandbox.odata.errors import UnsupportedError
from sandbox.odata.scope import QueryCall

__all__ = ["FUNCTIONS", "Caller", "query_functions"]

FUNCTIONS: dict[str, Function] = {**VALUES, **MOMENTS, **FISCAL, **HIERARCHY, **IDENTITY}


def query_functions(caller: Caller) -> Callable[[QueryCall], Condition]:
    """Return what answers the calls of one request.

    Raises:
        UnsupportedError: When called with a function that is not there.
        ODataError: When an argument is missing or of the wrong form.
    """

    def answer(call: QueryCall) -> Condition:
        name = call.name.removeprefix(f"{NAMESPACE}.")
        function = FUNCTIONS.get(name)
        if function is None or name == call.name:
            raise UnsupportedError(f"An unknown function with name '{call.name}' was found.")
        return function(read_call(name, call, caller))

    return answer
