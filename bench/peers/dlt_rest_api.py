"""dlt's `rest_api` source, by next links, to Parquet on its filesystem destination.

As it comes, its numbers are floats; `python -m bench.peers.dlt_rest_api PLACE exact` lets it read decimals
and tells it which columns are. Nothing else is set: extract, normalize and load as dlt does them.
"""

import os
import sys
from typing import Any

import dlt
from dlt.destinations import filesystem
from dlt.sources.rest_api import rest_api_source

from bench.peers import rows
from bench.peers.client import ADDRESS, API, HEADERS, Place, run
from bench.peers.requests_decimals import read_decimals


def read(place: Place) -> None:
    """Run one pipeline."""
    os.environ |= {
        "REQUESTS_CA_BUNDLE": place.ca_file,
        "DLT_DATA_DIR": place.folder,
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "ERROR",
    }
    exact = sys.argv[2:] == ["exact"]
    if exact:
        read_decimals()
    kept = filesystem(bucket_url=place.written.as_uri())
    pipeline = dlt.pipeline("bench", destination=kept, dataset_name="rows", pipelines_dir=place.folder)
    pipeline.run(_source(place, exact), loader_file_format="parquet")


def _source(place: Place, exact: bool) -> Any:
    resource: dict[str, Any] = {
        "name": "actuals",
        "endpoint": {"path": ADDRESS.removeprefix(f"{API}/"), "data_selector": "value"},
    }
    if exact:
        decimal = {"data_type": "decimal", "precision": 38, "scale": 10}
        resource["columns"] = {name: decimal for name in rows.DECIMALS}
    client = {
        "base_url": f"{place.url}{API}/",
        "headers": HEADERS,
        "paginator": {"type": "json_link", "next_url_path": "'@odata.nextLink'"},
    }
    config: Any = {"client": client, "resources": [resource]}
    return rest_api_source(config)


if __name__ == "__main__":
    run(read)
