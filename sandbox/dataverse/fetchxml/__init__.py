"""`GET accounts?fetchXml=<fetch>...` [D, "Query data using FetchXml"].

    document    a text in XML becomes a frozen query, or is refused
    operators   what an operator asks of a column, as SQL of our own
    source      the tables that are joined, and the conditions on them
    cookie      where a page begins
    outputs     what is selected, and under which names
    answer      rows as a page of the Web API
    groups      rows of an aggregate query

No text of a client reaches the database: only tables and columns that are found by their names, and values
as bound parameters.
"""

from sandbox.dataverse.fetchxml.answer import fetch_page

__all__ = ["fetch_page"]
