"""Microsoft's Python SDK (PowerPlatform-Dataverse-Client): its pages of records, written to Parquet.

As it comes, its numbers are floats; `python -m bench.peers.sdk PLACE exact` lets it read decimals.
"""

import os
import sys
import time
import warnings

import pyarrow as pa
import pyarrow.parquet as pq
from azure.core.credentials import AccessToken
from PowerPlatform.Dataverse.client import DataverseClient

from bench.peers import rows
from bench.peers.arrow import EXACT, schema
from bench.peers.client import TOKEN, Place, run
from bench.peers.requests_decimals import read_decimals


class FixedToken:
    """A credential as the SDK wants it."""

    def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        """Give the token."""
        return AccessToken(TOKEN, expires_on=int(time.time()) + 3600)


def read(place: Place) -> None:
    """Read all pages, one after another."""
    os.environ["REQUESTS_CA_BUNDLE"] = place.ca_file
    warnings.simplefilter("ignore")
    exact = sys.argv[2:] == ["exact"]
    if exact:
        read_decimals()
    kinds = schema(EXACT if exact else pa.float64())
    columns = [*rows.WIRE_COLUMNS]
    with (
        DataverseClient(place.url, FixedToken()) as client,
        pq.ParquetWriter(place.parquet, kinds, compression="zstd") as writer,
    ):
        for page in client.records.list_pages(rows.ENTITY, select=columns, page_size=rows.PAGE):
            writer.write_table(pa.Table.from_pylist([record.data for record in page], schema=kinds))


if __name__ == "__main__":
    run(read)
