"""The report of a reconciliation written where people find it, beside all of its differences.

Below the staging area: `reconciliations/<number>/report.html`, the same without what rows hold, and
`differences.parquet`. Writing them again replaces them; readers see all of the old or all of the new.
"""

import pyarrow.parquet as pq

from projops.reconcile.places import DIFFERENCES, PAGE, PAGE_WITHOUT_VALUES, path_of
from projops.reconcile.report.model import Report
from projops.reconcile.report.page import render
from projops.staging import Staging
from projops.staging.folder import RECONCILIATIONS

_PARQUET = ".parquet"


def publish(staging: Staging, report: Report) -> str:
    """Write the pages of a report, and the differences of its maps as one file.

    Args:
        staging: Where the files of the maps are, `<map>.parquet` of one schema, and where the report goes.
        report: What to tell.

    Returns:
        URI of the page with values.
    """
    number = report.reconciliation.id
    _join(staging, number)
    staging.publish(path_of(number, PAGE_WITHOUT_VALUES), render(report, values=False).encode())
    return staging.publish(path_of(number, PAGE), render(report, values=True).encode())


def _join(staging: Staging, number: int) -> None:
    """Write the differences of all maps into one file, some rows at a time; without any there is no file."""
    names = [name for name in staging.names(f"{RECONCILIATIONS}/{number}") if name.endswith(_PARQUET)]
    parts = [path_of(number, name) for name in names if name != DIFFERENCES]
    if not parts:
        staging.remove(staging.uri_below(path_of(number, DIFFERENCES)))
        return
    with staging.opened(parts[0]) as first:
        schema = pq.read_schema(first)
    with (
        staging.publishing(path_of(number, DIFFERENCES)) as file,
        pq.ParquetWriter(file, schema, compression="zstd") as writer,
    ):
        for part in parts:
            with staging.opened(part) as opened:
                for rows in pq.ParquetFile(opened).iter_batches():
                    writer.write_batch(rows)
