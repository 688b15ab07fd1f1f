"""Our reading alone: session, change tracking and decoding, each page into one Parquet file."""

import asyncio

import pyarrow as pa
import pyarrow.parquet as pq

from bench.peers import rows
from bench.peers.client import Place, run
from bench.peers.ours import connection
from projops.mapping import catalog
from projops.mapping.model import System
from projops.systems.columns import entity_set, properties
from projops.systems.dataverse import Dataverse
from projops.systems.session import ODataSession


def read(place: Place) -> None:
    """Read all pages."""
    asyncio.run(_read(place))


async def _read(place: Place) -> None:
    table = catalog.table(System.DATAVERSE, rows.ENTITY)
    writer: pq.ParquetWriter | None = None
    async with ODataSession(connection(place, System.DATAVERSE)) as session:
        async for page in Dataverse(session).changes(entity_set(table), properties(table, rows.COLUMNS)):
            writer = writer or pq.ParquetWriter(place.parquet, page.batch.schema, compression="zstd")
            writer.write_table(pa.Table.from_batches([page.batch]))
    if writer is not None:
        writer.close()


if __name__ == "__main__":
    run(read)
