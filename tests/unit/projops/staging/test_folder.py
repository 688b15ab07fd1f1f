from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from projops.errors import StagingLostError, TryAgainError
from projops.staging import Staging

ROWS = pa.table({"_id": ["a", "b"]})


def test_what_was_written_is_read_back_by_its_manifest(tmp_path: Path) -> None:
    staging = Staging(str(tmp_path))
    with staging.writer("projects", "dataverse_to_finance", 1, "extract") as writer:
        writer.write(ROWS)
        writer.write(ROWS.slice(0, 0))
        writer.count("read", 2)
    manifest = staging.open(staging.uri_of(writer), 1)
    assert (manifest.rows, dict(manifest.counts), len(manifest.parts)) == (2, {"read": 2}, 1)
    assert [table.to_pylist() for table in staging.tables(manifest)] == [ROWS.to_pylist()]


def test_a_failed_try_leaves_the_earlier_one_whole(tmp_path: Path) -> None:
    staging = Staging(tmp_path.as_uri())
    with staging.writer("m", "l", 1, "extract") as first:
        first.write(ROWS)
    with pytest.raises(RuntimeError), staging.writer("m", "l", 1, "extract") as second:
        second.write(ROWS.slice(0, 1))
        raise RuntimeError
    manifest = staging.open(staging.uri_of(first), 1)
    assert sum(table.num_rows for table in staging.tables(manifest)) == 2


def test_a_later_try_replaces_the_earlier_one(tmp_path: Path) -> None:
    staging = Staging(str(tmp_path))
    for rows in (ROWS, ROWS.slice(0, 1)):
        with staging.writer("m", "l", 1, "extract") as writer:
            writer.write(rows)
    manifest = staging.open(staging.uri_of(writer), 1)
    assert manifest.rows == 1
    assert len(list((tmp_path / "m" / "l" / "1" / "extract").iterdir())) == 2


def test_lost_files_say_what_to_clear(tmp_path: Path) -> None:
    staging = Staging(str(tmp_path))
    with staging.writer("m", "l", 1, "extract") as writer:
        writer.write(ROWS)
    manifest = staging.open(staging.uri_of(writer), 1)
    Path(manifest.parts[0]).unlink()
    with pytest.raises(StagingLostError, match="Clear the extract task"):
        list(staging.tables(manifest))
    with pytest.raises(StagingLostError, match="Clear the extract task"):
        staging.open(manifest.uri.replace("/1/", "/2/"), 2)


def test_what_the_rows_stand_for_is_published_with_them(tmp_path: Path) -> None:
    """Of two tries side by side the one's watermark never stands over the other's rows."""
    staging = Staging(str(tmp_path))
    with (
        pytest.raises(TryAgainError, match="Another try"),
        staging.writer("m", "l", 1, "extract") as frozen,
    ):
        frozen.facts["watermark_to"] = "w1"
        with staging.writer("m", "l", 1, "extract") as rerun:
            rerun.write(ROWS)
            rerun.facts["watermark_to"] = "w2"
        with pytest.raises(TryAgainError, match="Another try"):
            frozen.write(ROWS.slice(1, 1))
    manifest = staging.open(staging.uri_of(frozen), 1)
    assert (manifest.rows, manifest.facts) == (2, {"watermark_to": "w2"})


@pytest.mark.parametrize("length", [0, 7, -1])
def test_damaged_files_say_what_to_clear(tmp_path: Path, length: int) -> None:
    staging = Staging(str(tmp_path))
    with staging.writer("m", "l", 1, "extract") as writer:
        writer.write(ROWS)
    manifest = staging.open(staging.uri_of(writer), 1)
    for path in (manifest.parts[0], manifest.uri.removeprefix("file://")):
        Path(path).write_bytes(Path(path).read_bytes()[:length])
    with pytest.raises(StagingLostError, match=r"part-00000\.parquet is damaged\. Clear the extract task"):
        list(staging.tables(manifest))
    with pytest.raises(StagingLostError, match=r"manifest\.json is damaged\. Clear the extract task"):
        staging.open(manifest.uri, 1)


def test_a_part_that_lacks_rows_is_damaged(tmp_path: Path) -> None:
    staging = Staging(str(tmp_path))
    with staging.writer("m", "l", 1, "extract") as writer:
        writer.write(ROWS)
    manifest = staging.open(staging.uri_of(writer), 1)
    pq.write_table(ROWS.slice(0, 1), manifest.parts[0])
    with pytest.raises(StagingLostError, match="tells of 2 rows, and there are 1"):
        list(staging.tables(manifest))


def test_files_of_another_batch_are_not_taken(tmp_path: Path) -> None:
    staging = Staging(str(tmp_path))
    with staging.writer("m", "l", 1, "extract") as writer:
        writer.write(ROWS)
    with pytest.raises(StagingLostError, match=r"of batch 1, not of batch 2\. Clear the extract task"):
        staging.open(staging.uri_of(writer), 2)
