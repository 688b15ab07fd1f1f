from dataclasses import replace
from datetime import UTC, datetime

from projops.mapping.model import Direction
from projops.state import StateStore, crosswalk, dead_letters, decisions, exports
from projops.state.crosswalk import Entry
from projops.state.dead_letters import Letter, Origin
from projops.state.exports import Execution
from projops.state.selection import Selection

ORIGIN = Origin("contract_lines", "dataverse_to_finance", 7, "1.0.0.2")


def letter(status: str = "open", **facts: object) -> Letter:
    values = {"source_id": "g1", "key": '["k"]', "stage": "load", "rule": "refused", "message": "No."} | facts
    return Letter(status=status, **values)  # type: ignore[arg-type]


def test_a_crosswalk_entry_keeps_what_the_other_leg_wrote(store: StateStore) -> None:
    with store.begin() as connection:
        crosswalk.put(connection, "customers", 1, [Entry("k1", "g1", hash_dataverse_to_finance="a")])
        crosswalk.put(connection, "customers", 2, [Entry("k1", hash_finance_to_dataverse="b")])
        assert crosswalk.by_ids(connection, "customers", ["g1"]) == [Entry("k1", "g1", "a", "b")]
        forth = Direction.DATAVERSE_TO_FINANCE
        assert crosswalk.keys_after(connection, "customers", forth, "", 10) == ["k1"]
        assert crosswalk.keys_after(connection, "customers", forth, "k1", 10) == []
        crosswalk.remove(connection, "customers", ["k1"])
        assert crosswalk.count(connection, "customers") == 0


def test_pairs_are_found_by_any_number_of_keys_and_guids_of_their_own_map(store: StateStore) -> None:
    odd = ['["o\'brien","\\"x\\"","ü😀"]', '["%","_"]']
    keys = [*odd, *(f'["k{number}"]' for number in range(1200))]
    pairs = [Entry(key, f"g{number}", "a", shared_finance={"n": "d"}) for number, key in enumerate(keys)]
    with store.begin() as connection:
        crosswalk.put(connection, "customers", 1, pairs)
        crosswalk.put(connection, "vendors", 1, [Entry(keys[0], "g0")])
        assert crosswalk.by_keys(connection, "customers", keys) == {pair.key: pair for pair in pairs}
        ids = [str(pair.dataverse_id) for pair in pairs]
        found = crosswalk.keys_of(connection, "customers", [*ids, "absent"])
        assert sorted(found) == sorted(zip(ids, keys, strict=True))
        assert crosswalk.keys_of(connection, "customers", []) == []
        crosswalk.put_new(connection, "customers", 2, [Entry(keys[0], "other"), Entry("new", "g")])
        assert crosswalk.by_keys(connection, "customers", [keys[0], "new"]) == {
            keys[0]: pairs[0],
            "new": Entry("new", "g"),
        }


def test_each_direction_remembers_the_batch_that_last_had_a_pair_in_step(store: StateStore) -> None:
    forth, back = Direction.DATAVERSE_TO_FINANCE, Direction.FINANCE_TO_DATAVERSE
    with store.begin() as connection:
        crosswalk.put(connection, "customers", 1, [Entry("k1", "g1", hash_dataverse_to_finance="a")])
        crosswalk.put(connection, "customers", 2, [Entry("k1", hash_finance_to_dataverse="b")])
        (pair,) = crosswalk.in_step(connection, "customers", ["k1", "absent"])
        assert pair.batches == {forth: 1, back: 2}
        # What is not known to be in step has been brought there by no batch.
        crosswalk.put(connection, "customers", 3, [crosswalk.only_paired("k1", "g1", forth)])
        (pair,) = crosswalk.in_step(connection, "customers", ["k1"])
        assert (pair.entry.hash_dataverse_to_finance, pair.batches) == ("", {forth: 1, back: 2})


def test_keys_are_found_by_one_of_their_parts(store: StateStore) -> None:
    keys = ['["p_1","uspm"]', '["px1","uspm"]', '["p_1","gbpm"]']
    with store.begin() as connection:
        crosswalk.put(connection, "projects", 1, [Entry(key) for key in keys])
        assert crosswalk.keys_with_part(connection, "projects", '"p_1"', 10) == sorted([keys[0], keys[2]])
        assert crosswalk.keys_with_part(connection, "projects", '"p_1"', 1) == [keys[2]]


def test_many_entries_are_read_in_slices(store: StateStore) -> None:
    with store.begin() as connection:
        crosswalk.put(connection, "m", 1, [Entry(f"k{number}", f"g{number}") for number in range(1203)])
        assert len(crosswalk.by_keys(connection, "m", [f"k{number}" for number in range(1203)])) == 1203


def test_there_is_one_live_letter_a_row_and_a_newer_failure_replaces_its_reason(store: StateStore) -> None:
    with store.begin() as connection:
        dead_letters.record(connection, ORIGIN, [letter(message="First.")])
        dead_letters.record(connection, ORIGIN, [letter(message="Rerun of the same batch.")])
        later = Origin(ORIGIN.map, ORIGIN.leg, 8, ORIGIN.mapping_version)
        dead_letters.record(connection, later, [letter(message="Second.")])
        (live,) = dead_letters.live(connection)
        assert (live["message"], live["attempts"], live["batch"]) == ("Second.", 2, 8)


def test_what_a_later_batch_has_set_aside_is_not_an_earlier_ones_to_close(store: StateStore) -> None:
    place = (ORIGIN.map, ORIGIN.leg, ["g1"], "gone at the source")
    with store.begin() as connection:
        dead_letters.record(connection, ORIGIN, [letter()])
        assert dead_letters.resolve(connection, *place, last_batch=ORIGIN.batch - 1) == 0
        assert dead_letters.resolve(connection, *place, last_batch=ORIGIN.batch) == 1


def test_a_pair_in_doubt_is_noted_and_a_known_one_stays(store: StateStore) -> None:
    with store.begin() as connection:
        crosswalk.put(connection, "m", 1, [Entry("k1", "g1", "h1")])
        forth, back = Direction.DATAVERSE_TO_FINANCE, Direction.FINANCE_TO_DATAVERSE
        doubtful = [crosswalk.only_paired("k1", "another", forth), crosswalk.only_paired("k2", None, back)]
        crosswalk.put_new(connection, "m", 2, doubtful)
        found = crosswalk.by_keys(connection, "m", ["k1", "k2"])
    assert found["k1"] == Entry("k1", "g1", "h1")
    assert found["k2"].payload_hash(back) == crosswalk.UNKNOWN


def test_success_closes_a_letter_and_a_later_failure_opens_another(store: StateStore) -> None:
    with store.begin() as connection:
        dead_letters.record(connection, ORIGIN, [letter()])
        assert dead_letters.resolve(connection, ORIGIN.map, ORIGIN.leg, ["g1", "g2"], "moved") == 1
        assert dead_letters.live(connection) == []
        dead_letters.record(connection, ORIGIN, [letter()])
        (live,) = dead_letters.live(connection)
        assert live["attempts"] == 1


def test_a_parked_row_may_go_once_its_parent_is_there(store: StateStore) -> None:
    with store.begin() as connection:
        waits = letter("parked", waits_for_map="contract_headers", waits_for_id="g9")
        dead_letters.record(connection, ORIGIN, [waits])
        assert not dead_letters.may_go(connection, ORIGIN.map, ORIGIN.leg)
        assert dead_letters.to_retry(connection, ORIGIN.map, ORIGIN.leg) == ["g1"]
        crosswalk.put(connection, "contract_headers", 1, [Entry("k9", "g9")])
        assert dead_letters.may_go(connection, ORIGIN.map, ORIGIN.leg)


def test_an_open_letter_is_tried_again_only_if_that_can_help(store: StateStore) -> None:
    with store.begin() as connection:
        dead_letters.record(connection, ORIGIN, [letter(), letter(source_id="g2", retriable=True)])
        assert dead_letters.to_retry(connection, ORIGIN.map, ORIGIN.leg) == ["g2"]
        assert dead_letters.may_go(connection, ORIGIN.map, ORIGIN.leg)


def test_what_people_have_dismissed_is_known_by_its_latest_entry(store: StateStore) -> None:
    with store.begin() as connection:
        numbers = []
        for _ in range(2):
            dead_letters.record(connection, ORIGIN, [letter(source_id="g7"), letter(source_id="g8")])
            [mine] = [each for each in dead_letters.live(connection) if each["source_id"] == "g7"]
            numbers.append(mine["id"])
            wanted, now = Selection((mine["id"],)), datetime.now(UTC)
            decisions.carry_out(connection, wanted, decisions.dismissing("Settled by hand.", now), now)
        asked = ["g7", "g8", "unheard"]
        assert numbers[0] < numbers[1]
        assert dead_letters.given_up(connection, ORIGIN.map, ORIGIN.leg, asked) == {"g7": numbers[1]}
        assert dead_letters.given_up(connection, "another", ORIGIN.leg, asked) == {}


def test_an_export_is_fetched_again_until_a_batch_has_loaded_it(store: StateStore) -> None:
    with store.begin() as connection:
        for name in ("e1", "e2"):
            exports.record_request(
                connection, "customers", "finance_to_dataverse", Execution(name, "uspm", 1, False)
            )
        exports.commit(connection, ["e1"])
        left = exports.uncommitted(connection, "customers", "finance_to_dataverse")
        assert [execution.execution_id for execution in left] == ["e2"]


def test_of_a_row_in_doubt_no_more_is_known_than_its_pair(store: StateStore) -> None:
    forth = Direction.DATAVERSE_TO_FINANCE
    known = Entry("k", "id", "h", "back", {"name": "1"}, {"Name": "2"})
    with store.begin() as connection:
        crosswalk.put(connection, "m", 1, [known])
        crosswalk.doubt(connection, "m", 2, forth, [("k", "id"), ("new", "other")])
        found = crosswalk.by_keys(connection, "m", ["k", "new"])
        batches = connection.exec_driver_sql("select batch from crosswalk order by key").scalars().all()
    assert found["k"] == replace(known, hash_dataverse_to_finance=crosswalk.UNKNOWN)
    assert found["new"] == crosswalk.only_paired("new", "other", forth)
    assert batches == [1, 2]  # which batch had it in step stays


def test_a_row_of_finance_without_a_key_is_never_read_again(store: StateStore) -> None:
    """A restore, or a batch beside, makes all that is open retriable; this row has no name to read it by."""
    back = Direction.FINANCE_TO_DATAVERSE.value
    with store.begin() as connection:
        for leg in (back, ORIGIN.leg):
            nameless = letter(source_id="5f2a", key=None, retriable=True)
            dead_letters.record(connection, replace(ORIGIN, leg=leg), [nameless])
        assert dead_letters.to_retry(connection, ORIGIN.map, back) == []
        assert not dead_letters.may_go(connection, ORIGIN.map, back)
        assert dead_letters.to_retry(connection, ORIGIN.map, ORIGIN.leg) == ["5f2a"]


def test_a_pair_of_a_row_that_the_target_has_not_goes_unless_it_tells_more(store: StateStore) -> None:
    forth, back = Direction.DATAVERSE_TO_FINANCE, Direction.FINANCE_TO_DATAVERSE
    pairs = [Entry("forth", "g1", ""), Entry("both", "g2", "", "h"), Entry("back", None, None, "")]
    with store.begin() as connection:
        crosswalk.put(connection, "m", 1, [*pairs, Entry("known", "g4", None, "")])
        keys = ["forth", "both", "back", "known"]
        crosswalk.remove_absent(connection, "m", forth, ["forth", "both"])
        assert crosswalk.by_keys(connection, "m", keys).keys() == {"both", "back", "known"}
        crosswalk.remove_absent(connection, "m", back, keys)
        assert crosswalk.by_keys(connection, "m", keys).keys() == {"both", "known"}
