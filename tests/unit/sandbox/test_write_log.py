"""The log of writes is bounded, and says what it has let go."""

from sandbox.write_log import WriteLog, written_row


def test_the_oldest_rows_make_room_and_are_counted() -> None:
    log = WriteLog(2)
    for key in "abc":
        log.append({"verb": "POST"}, written_row(key, (), None), committed=True)
    entries, dropped = log.snapshot()
    assert ([(entry["seq"], entry["key"]) for entry in entries], dropped) == ([(2, "b"), (3, "c")], 1)
    log.clear()
    assert (log.snapshot(), log.dropped) == (([], 0), 0)


def test_what_only_a_refused_request_can_be_long_enough_for_is_not_kept() -> None:
    row = written_row("k" * 50_000, tuple(f"{number:06}" for number in range(50_000)), {"name": "x" * 50_000})
    assert (len(row.key), row.columns, row.values) == (2_000, (), b"")
    assert len(row.digest) == 64


def test_annotations_are_no_values() -> None:
    plain = written_row("a", (), {"name": "x"})
    assert written_row("a", (), {"@odata.id": "accounts(1)", "name": "x"}) == plain
