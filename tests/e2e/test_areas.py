"""Both areas under the real scheduler: everything arrives, nothing moves twice, only what changed moves."""

from datetime import UTC, datetime

import pytest

from projops.mapping.reader import load_maps
from runner.api import AirflowApi
from runner.changes import make_changes
from runner.comparison import compare
from runner.ledger import clearing_accounts
from runner.moves import Waiting, all_runs, counts_of, run_until_in_step, what_waits
from runner.stack import AREAS, Stack
from runner.wire import Wire


@pytest.mark.usefixtures("first_rounds")
class TestBothAreas:
    def test_every_row_arrives_as_the_maps_say(
        self, stack: Stack, wire: Wire, first_rounds: list[int]
    ) -> None:
        assert first_rounds[0] > 1000
        assert what_waits(stack) == Waiting(0, 0, ())
        assert [str(each) for each in compare(stack.layout.mappings, AREAS, wire)] == []

    def test_every_leg_has_run(self, stack: Stack, api: AirflowApi) -> None:
        maps = load_maps(stack.layout.mappings).maps.values()
        legs = {(each.map, leg.value) for each in maps if each.enabled for leg in each.legs}
        counts = counts_of(stack, all_runs(api))
        assert {leg for leg, found in counts.items() if found.read} == legs

    def test_a_further_run_moves_nothing(self, stack: Stack, first_rounds: list[int]) -> None:
        assert first_rounds[-1] == 0
        assert run_until_in_step(stack, print) == [0]

    def test_exactly_the_changed_rows_move(self, stack: Stack, api: AirflowApi, wire: Wire) -> None:
        before = set(all_runs(api))
        changed = make_changes(stack.layout.mappings, wire, f"{datetime.now(UTC):%H:%M:%S}")
        run_until_in_step(stack, print)
        counts = counts_of(stack, [run for run in all_runs(api) if run not in before])
        assert {leg: found.loaded for leg, found in counts.items() if found.loaded} == dict(changed)
        assert [str(each) for each in compare(stack.layout.mappings, AREAS, wire)] == []

    def test_clearing_accounts_are_balanced_in_every_company(self, wire: Wire) -> None:
        accounts = clearing_accounts(wire)
        assert set(accounts) >= {"USPM", "GBPM", "DEMF"}
        assert {str(amount) for balances in accounts.values() for amount in balances.values()} == {"0.00"}
