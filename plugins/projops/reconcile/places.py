"""Where the files of a reconciliation stand below the staging area: for those who write and who show them."""

from projops.staging.folder import RECONCILIATIONS

PAGE = "report.html"
PAGE_WITHOUT_VALUES = "report-without-values.html"
DIFFERENCES = "differences.parquet"


def path_of(number: int, name: str) -> str:
    """Give the path of a reconciliation's file."""
    return f"{RECONCILIATIONS}/{number}/{name}"


def path_of_map(number: int, map_id: str) -> str:
    """Give the path of the differences of one map."""
    return path_of(number, f"{map_id}.parquet")
