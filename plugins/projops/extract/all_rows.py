"""All rows of a Finance entity set: where they are many, two ranges of companies side by side."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from projops.mapping import catalog
from projops.mapping.catalog import Table
from projops.mapping.model import System
from projops.systems import paging, quoting
from projops.systems.columns import properties
from projops.systems.decoding import Page
from projops.systems.finance import Finance


async def all_rows(finance: Finance, table: Table, columns: Sequence[str]) -> AsyncGenerator[Page, None]:
    """Read an entity set as a whole.

    What fits into one page costs one request. What does not is begun anew as two reads, of the companies
    before a code and of those from it on: whatever the code is, no row is in neither or in both.

    Args:
        finance: Where it is read.
        table: Entity set.
        columns: Properties.

    Yields:
        Pages as of `Finance.pages`; those of one company in order, companies in any.
    """
    names, order = properties(table, columns), table.keys[0]
    ranges: Sequence[str] = ()
    async with aclosing(finance.pages(table.entity_set, names, order_by=order)) as whole:
        is_first = True
        async for page in whole:
            ranges = await ranges_of(finance, table) if is_first and page.next_link is not None else ()
            if ranges:
                break
            is_first = False
            yield page
    if ranges:
        readers = [finance.pages(table.entity_set, names, where, order) for where in ranges]
        async for page in paging.side_by_side(finance.session, readers):
            yield page


async def companies_of(finance: Finance) -> list[str]:
    """Give the codes of all legal entities, in lower case, sorted."""
    table = catalog.table(System.FINANCE, "LegalEntities")
    codes: set[str] = set()
    async for page in finance.pages(table.entity_set, properties(table, ["LegalEntityId"])):
        codes.update(code.lower() for code in page.batch["LegalEntityId"].to_pylist() if code)
    return sorted(codes)


async def ranges_of(finance: Finance, table: Table) -> Sequence[str]:
    """Give two filters that share out the rows of an entity set; none where there is nothing to share."""
    codes = await companies_of(finance) if table.company_column else []
    if len(codes) < 2:
        return ()
    border = quoting.literal(codes[len(codes) // 2])
    return f"{table.company_column} lt {border}", f"{table.company_column} ge {border}"
