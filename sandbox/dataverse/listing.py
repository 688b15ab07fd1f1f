"""Which kind of read a request on an entity set is: tracked, aggregated, in SQL, or a plain list."""

from sandbox.dataverse.aggregating import apply_page
from sandbox.dataverse.delta import tracked
from sandbox.dataverse.reading import Reading
from sandbox.dataverse.sql import sql_page
from sandbox.dataverse.wire import Response


def list_page(reading: Reading) -> Response:
    """Answer a page of an entity set.

    Raises:
        ApiError: What Dataverse refuses.
        ODataError: What is no OData.
    """
    if delta := tracked(reading):
        return delta.page()
    if "sql" in reading.request.options:
        return sql_page(reading)
    if "$apply" in reading.request.options:
        return apply_page(reading)
    return reading.page()
