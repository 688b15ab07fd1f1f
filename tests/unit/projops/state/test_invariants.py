from projops.reconcile.model import Invariant
from projops.state import StateStore, invariants

HOLDS = Invariant("lines_posted", "uspm", True, False, "", "Each line is posted (R701).")
WAITS = Invariant("lines_posted", "gbpm", True, True, "journal GBPM-000001 line 2", "Is not posted.")
BROKEN = Invariant("debits_equal_credits", "uspm", False, False, "voucher V1", "Differs by 0.01.")


def test_what_was_found_of_the_books_is_read_back_in_order(store: StateStore) -> None:
    with store.begin() as connection:
        invariants.replace_all(connection, 1, [HOLDS, BROKEN, WAITS])
        invariants.replace_all(connection, 2, [HOLDS])
    with store.begin() as connection:
        assert invariants.of(connection, 1) == [HOLDS, BROKEN, WAITS]


def test_a_rerun_replaces_what_its_earlier_try_found(store: StateStore) -> None:
    with store.begin() as connection:
        invariants.replace_all(connection, 1, [BROKEN])
        invariants.replace_all(connection, 1, [HOLDS])
        assert invariants.of(connection, 1) == [HOLDS]
        invariants.replace_all(connection, 1, [])
        assert invariants.of(connection, 1) == []


def test_a_long_subject_is_cut_to_what_the_state_can_keep(store: StateStore) -> None:
    with store.begin() as connection:
        invariants.replace_all(connection, 1, [Invariant("lines_posted", "uspm", True, True, "x" * 999, "y")])
        assert [each.subject for each in invariants.of(connection, 1)] == ["x" * 500]
