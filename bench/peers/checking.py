"""Whether Parquet holds what the server sent: by DuckDB, which none of the clients reads or writes with."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import duckdb

from bench.peers import rows


def wrong(folder: Path, number: int, sums: Mapping[str, str]) -> list[str]:
    """Say what is not as it was sent; nothing where every row and every digit has arrived.

    Args:
        folder: All Parquet files that have the primary id, however deep below it, are one table.
        number: Rows that were sent.
        sums: What the decimals add up to, by column.
    """
    files = [str(each) for each in folder.rglob("*.parquet") if "_dlt" not in each.parent.name]
    if not files:
        return ["no Parquet file was written"]
    with duckdb.connect() as database:
        table = database.read_parquet(files)
        names = {_plain(name): name for name in table.columns}
        lacking = [name for name in rows.WIRE_COLUMNS if _plain(name) not in names]
        if lacking:
            return [f"there is no column {name}" for name in lacking]
        asked = [f'count(*), count(distinct "{names[_plain(rows.PRIMARY_ID)]}")']
        asked += [f'sum("{names[_plain(name)]}")' for name in sums]
        rows_found, ids, *found = table.aggregate(", ".join(asked)).fetchall()[0]
    counts = {"rows": rows_found, "identities": ids}
    problems = [f"{count:,} {what} of {number:,}" for what, count in counts.items() if count != number]
    for (name, total), there in zip(sums.items(), found, strict=True):
        if not isinstance(there, Decimal) or there != Decimal(total):
            problems.append(f"{name} adds up to {there}, not to {total}")
    return problems


def _plain(name: str) -> str:
    """Fold the names that a column goes by: on the wire, with us, and as dlt writes it."""
    return name.lower().removeprefix("_").removesuffix("_value")
