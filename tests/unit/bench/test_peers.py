import json
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.peers import rows
from bench.peers.arrow import EXACT, schema
from bench.peers.checking import wrong
from bench.peers.server import write_pages

NUMBER = 400


def page(number: Callable[[str], Any]) -> tuple[list[dict[str, Any]], dict[str, str]]:
    sums: Counter[str] = Counter()
    text = rows.page(0, NUMBER, sums)
    exact = {name: str(total) for name, total in rows.exact_sums(sums).items()}
    return json.loads(b"[" + text + b"]", parse_float=number), exact


def test_rows_have_thirty_columns_and_add_up_to_what_is_said_of_them() -> None:
    found, sums = page(Decimal)
    assert all({*row} == {"@odata.etag", *rows.WIRE_COLUMNS} for row in found)
    assert len(rows.WIRE_COLUMNS) == 30
    assert len({row[rows.PRIMARY_ID] for row in found}) == NUMBER
    assert {row["msdyn_skipsync"] for row in found} == {False}
    for name in rows.DECIMALS:
        assert sum(row[name] or Decimal(0) for row in found) == Decimal(sums[name])
    assert {row["msdyn_feeamount"] is None for row in found} == {True, False}


def test_what_has_arrived_whole_is_not_wrong(tmp_path: Path) -> None:
    found, sums = page(Decimal)
    pq.write_table(pa.Table.from_pylist(found, schema=schema(EXACT)), tmp_path / "rows.parquet")
    assert wrong(tmp_path, NUMBER, sums) == []


def test_floats_are_found_out(tmp_path: Path) -> None:
    found, sums = page(float)
    pq.write_table(pa.Table.from_pylist(found, schema=schema(pa.float64())), tmp_path / "rows.parquet")
    assert len(wrong(tmp_path, NUMBER, sums)) == len(rows.DECIMALS)


def test_floats_written_as_decimals_are_found_out(tmp_path: Path) -> None:
    found, sums = page(lambda text: Decimal(str(float(text))))
    pq.write_table(pa.Table.from_pylist(found, schema=schema(EXACT)), tmp_path / "rows.parquet")
    problems = wrong(tmp_path, NUMBER, sums)
    assert {problem.split()[0] for problem in problems} >= {"msdyn_amount", "msdyn_amount_base"}


@pytest.mark.parametrize("change", [lambda found: found[:-1], lambda found: [*found, found[0]]])
def test_lost_and_doubled_rows_are_found_out(
    tmp_path: Path, change: Callable[[list[Any]], list[Any]]
) -> None:
    found, sums = page(Decimal)
    pq.write_table(pa.Table.from_pylist(change(found), schema=schema(EXACT)), tmp_path / "rows.parquet")
    assert any("rows of 400" in problem for problem in wrong(tmp_path, NUMBER, sums))


def test_nothing_written_is_wrong(tmp_path: Path) -> None:
    assert wrong(tmp_path, NUMBER, {}) == ["no Parquet file was written"]


def test_a_smaller_table_is_the_beginning_of_a_larger_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "PAGE", 10)
    sums = write_pages(tmp_path, [20, 30])
    files = [json.loads(b"[" + (tmp_path / f"{number}.json").read_bytes() + b"]") for number in range(3)]
    assert [len(file) for file in files] == [10, 10, 10]
    assert {size: sum(row["msdyn_price"] for row in sum(files[: size // 10], [])) for size in (20, 30)} == {
        size: pytest.approx(float(sums[size]["msdyn_price"])) for size in (20, 30)
    }


def test_pages_are_whole(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="multiples"):
        write_pages(tmp_path, [7])
