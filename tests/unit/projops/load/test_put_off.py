import pyarrow as pa

from projops.load.put_off import PutOff


def rows(*ids: str) -> pa.Table:
    return pa.table({"_id": pa.array(ids, pa.string()), "name": [f"name of {each}" for each in ids]})


def ids(tables: list[pa.Table]) -> list[list[str]]:
    return [table["_id"].to_pylist() for table in tables]


def test_rows_come_back_whole_in_their_chunks_but_for_those_that_came_again() -> None:
    waiting = PutOff()
    waiting.add(rows("a", "b"), [{"x"}, {"x", "y"}])
    waiting.add(rows("c"), [{"a"}])
    waiting.add(rows().slice(0, 0), [])
    assert waiting.drop(["b", "never"]) == 1
    assert len(waiting) == 2
    assert [table.to_pylist() for table in waiting.chunks()] == [
        [{"_id": "a", "name": "name of a"}],
        [{"_id": "c", "name": "name of c"}],
    ]
    waiting.add(rows("b"), [{"z"}])
    assert ids(list(waiting.chunks())) == [["a"], ["c"], ["b"]]


def test_circles_leave_out_whoever_waits_for_somebody_outside() -> None:
    waiting = PutOff()
    waiting.add(rows("a", "b"), [{"c"}, {"nobody"}])
    waiting.add(rows("c", "d", "e", "f"), [{"a"}, {"b"}, {"a"}, {"f"}])
    assert ids(list(waiting.circles())) == [["a"], ["c", "e", "f"]]
    assert waiting.drop(["a"]) == 1
    assert ids(list(waiting.circles())) == [["f"]]
    assert ids(list(PutOff().circles())) == []
