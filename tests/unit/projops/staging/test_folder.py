from pathlib import Path

import pyarrow as pa
import pytest

from projops.errors import StagingLostError
from projops.staging import Staging

ROWS = pa.table({"_id": ["a", "b"]})


def test_what_was_written_is_read_back_by_its_manifest(tmp_path: Path) -> None:
    staging = Staging(str(tmp_path))
    with staging.writer("projects", "dataverse_to_finance", 1, "extract") as writer:
        writer.write(ROWS)
        writer.write(ROWS.slice(0, 0))
        writer.count("read", 2)
    manifest = staging.open(staging.uri_of(writer))
    assert (manifest.rows, dict(manifest.counts), len(manifest.parts)) == (2, {"read": 2}, 1)
    assert [table.to_pylist() for table in staging.tables(manifest)] == [ROWS.to_pylist()]


def test_a_failed_try_leaves_the_earlier_one_whole(tmp_path: Path) -> None:
    staging = Staging(tmp_path.as_uri())
    with staging.writer("m", "l", 1, "extract") as first:
        first.write(ROWS)
    with pytest.raises(RuntimeError), staging.writer("m", "l", 1, "extract") as second:
        second.write(ROWS.slice(0, 1))
        raise RuntimeError
    manifest = staging.open(staging.uri_of(first))
    assert sum(table.num_rows for table in staging.tables(manifest)) == 2


def test_a_later_try_replaces_the_earlier_one(tmp_path: Path) -> None:
    staging = Staging(str(tmp_path))
    for rows in (ROWS, ROWS.slice(0, 1)):
        with staging.writer("m", "l", 1, "extract") as writer:
            writer.write(rows)
    manifest = staging.open(staging.uri_of(writer))
    assert manifest.rows == 1
    assert len(list((tmp_path / "m" / "l" / "1" / "extract").iterdir())) == 2


def test_lost_files_say_what_to_clear(tmp_path: Path) -> None:
    staging = Staging(str(tmp_path))
    with staging.writer("m", "l", 1, "extract") as writer:
        writer.write(ROWS)
    manifest = staging.open(staging.uri_of(writer))
    Path(manifest.parts[0]).unlink()
    with pytest.raises(StagingLostError, match="Clear the extract task"):
        list(staging.tables(manifest))
    with pytest.raises(StagingLostError, match="Clear the extract task"):
        staging.open(manifest.uri.replace("/1/", "/2/"))
