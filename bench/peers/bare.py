"""The floor: a loop of aiohttp that gives each page to Arrow's columnar reader, and writes Parquet."""

import asyncio
import io
import ssl

import aiohttp
import pyarrow as pa
import pyarrow.json as pj
import pyarrow.parquet as pq
from yarl import URL

from bench.peers.arrow import EXACT, schema
from bench.peers.client import ADDRESS, HEADERS, Place, run

_ROWS = schema(EXACT)
_PAGE = pa.schema([("@odata.nextLink", pa.string()), ("value", pa.list_(pa.struct(list(_ROWS))))])
_PARSE = pj.ParseOptions(explicit_schema=_PAGE, newlines_in_values=True, unexpected_field_behavior="ignore")


def read(place: Place) -> None:
    """Read all pages."""
    asyncio.run(_read(place))


async def _read(place: Place) -> None:
    trust = ssl.create_default_context(cafile=place.ca_file)
    url: str | None = place.url + ADDRESS
    with pq.ParquetWriter(place.parquet, _ROWS, compression="zstd") as writer:
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=trust), headers=HEADERS
        ) as session:
            while url:
                async with session.get(URL(url, encoded=True)) as answer:
                    answer.raise_for_status()
                    page = _decoded(await answer.read())
                url = page["@odata.nextLink"][0].as_py()
                writer.write_batch(pa.RecordBatch.from_struct_array(page["value"].chunk(0).flatten()))


def _decoded(body: bytes) -> pa.Table:
    whole = pj.ReadOptions(use_threads=False, block_size=len(body) + 1)
    return pj.read_json(io.BytesIO(body), read_options=whole, parse_options=_PARSE)


if __name__ == "__main__":
    run(read)
