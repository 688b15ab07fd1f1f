"""All areas under the real scheduler: everything arrives, only what changed moves, and a project lives."""

from datetime import UTC, datetime

import pytest

from projops.mapping.reader import load_maps
from runner.api import AirflowApi
from runner.changes import make_changes
from runner.comparison import compare
from runner.ledger import clearing_accounts, unbalanced, without_their_voucher
from runner.moves import Waiting, all_runs, counts_of, run_areas, run_until_in_step, what_waits
from runner.stack import AREAS, Stack
from runner.story.telling import tell
from runner.wire import Wire


@pytest.mark.parametrize("stack", ["sqlite"], indirect=True, scope="session")
@pytest.mark.usefixtures("first_rounds")
class TestAllAreas:
    def test_every_row_arrives_as_the_maps_say_and_a_further_round_moves_nothing(
        self, stack: Stack, wire: Wire, first_rounds: list[int]
    ) -> None:
        assert first_rounds[0] > 1000
        assert first_rounds[-1] == 0
        assert what_waits(stack) == Waiting(0, 0, ())
        assert [str(each) for each in compare(stack.layout.mappings, AREAS, wire)] == []

    def test_exactly_the_changed_rows_move(self, stack: Stack, api: AirflowApi, wire: Wire) -> None:
        before = set(all_runs(api))
        changed = make_changes(stack.layout.mappings, wire, f"{datetime.now(UTC):%H:%M:%S}")
        run_until_in_step(stack, print)
        counts = counts_of(stack, [run for run in all_runs(api) if run not in before])
        assert {leg: found.loaded for leg, found in counts.items() if found.loaded} == dict(changed)

    def test_a_project_lives_to_its_corrected_invoice(
        self, stack: Stack, api: AirflowApi, wire: Wire
    ) -> None:
        tell(wire, lambda areas: run_areas(stack, areas, print), print)
        assert run_until_in_step(stack, print) == [0]
        assert what_waits(stack) == Waiting(0, 0, ())
        assert [str(each) for each in compare(stack.layout.mappings, AREAS, wire)] == []
        maps = load_maps(stack.layout.mappings).maps.values()
        legs = {(each.map, leg.value) for each in maps if each.enabled for leg in each.legs}
        counts = counts_of(stack, all_runs(api))
        assert {leg for leg, found in counts.items() if found.read} == legs

    def test_the_ledger_balances_and_the_clearing_accounts_stand_at_zero(self, wire: Wire) -> None:
        assert unbalanced(wire) == []
        assert without_their_voucher(wire) == []
        accounts = clearing_accounts(wire)
        assert set(accounts) >= {"USPM", "GBPM", "DEMF"}
        assert {str(amount) for balances in accounts.values() for amount in balances.values()} == {"0.00"}
