"""Which kind of read a request on an entity set is: tracked, aggregated, SQL, FetchXML, or a plain list."""

from sandbox.dataverse.aggregating import apply_page
from sandbox.dataverse.delta import tracked
from sandbox.dataverse.errors import bad_request
from sandbox.dataverse.fetchxml import fetch_page
from sandbox.dataverse.reading import Reading
from sandbox.dataverse.sql import sql_page
from sandbox.dataverse.wire import Response


def list_page(reading: Reading) -> Response:
    """Answer a page of an entity set, or of the collection that belongs to a row.

    Raises:
        ApiError: What Dataverse refuses.
        ODataError: What is no OData.
    """
    whole = reading.within is None
    if whole and (delta := tracked(reading)):
        return delta.page()
    if "sql" in reading.request.options:
        if not whole:
            raise bad_request("The query option 'sql' is for entity sets.")
        return sql_page(reading)
    if (text := reading.request.option("fetchXml")) is not None:
        if not whole:
            raise bad_request("The query option 'fetchXml' is for entity sets.")
        return fetch_page(reading, text)
    if "$apply" in reading.request.options:
        return apply_page(reading)
    return reading.page()
