"""`GET accounts?sql=SELECT ...` [D, "Use SQL to query data with the Web API"].

    statement  a text in T-SQL becomes a frozen statement, or is refused
    source     the tables that it reads, and its conditions, as SQL of our own
    answer     its rows as a page of the Web API

No text of a client reaches the database: only tables and columns that are found by their names, and values
as bound parameters.
"""

from sandbox.dataverse.sql.answer import sql_page

__all__ = ["sql_page"]
