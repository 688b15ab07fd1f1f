"""An invoice header goes to Finance after everything that it bills, and never before."""

import pytest

from tests.e2e.engine import invoices
from tests.e2e.engine.world import World

HEADERS = "invoice_proposals__dataverse_to_finance"
ACTUALS = "actuals__dataverse_to_finance"
CONNECTIONS = "transaction_connections__dataverse_to_finance"
_ANOTHER_TYPE = 192350004  # Project Contract, which no actual may have


@pytest.fixture(scope="module")
def contract(shared_world: World) -> tuple[str, str]:
    return invoices.contract_in_step(shared_world)


def test_a_header_waits_for_its_actuals_and_connections_and_goes_by_itself(
    world: World, contract: tuple[str, str]
) -> None:
    invoice = invoices.confirmed(world, *contract, lines=3)
    assert world.forth("invoice_proposals")[HEADERS].parked == 1
    assert invoices.at_finance(world, invoice) == []
    [letter] = world.letters("invoice_proposals")
    assert (letter["status"], letter["rule"], letter["waits_for_map"]) == (
        "parked",
        "billing_gate",
        "actuals",
    )
    assert letter["message"].startswith(
        "Waits for 6 rows of map actuals and 3 rows of map transaction_connections that belong"
    )
    assert letter["waits_for_id"] in {*invoice.billed, *invoice.unbilled}

    world.forth("actuals")
    assert world.forth("invoice_proposals")[HEADERS].parked == 1
    [letter] = world.letters("invoice_proposals")
    assert letter["message"].startswith("Waits for 3 rows of map transaction_connections that")

    world.forth("transaction_connections")
    assert world.forth("invoice_proposals")[HEADERS].loaded == 1
    assert len(invoices.at_finance(world, invoice)) == 1
    assert world.letters("invoice_proposals") == []


def test_a_dead_letter_among_its_actuals_is_named(world: World, contract: tuple[str, str]) -> None:
    invoice = invoices.confirmed(world, *contract, lines=2)
    world.correct(invoice.billed[0], msdyn_transactiontypecode=_ANOTHER_TYPE)
    assert world.forth("actuals")[ACTUALS].rejected == 1
    world.forth("transaction_connections", "invoice_proposals")
    [stopped] = world.letters("actuals")
    [letter] = world.letters("invoice_proposals")
    assert (
        f"Dead letter {stopped['id']} stands in the way: map actuals, key {stopped['key']}"
        in letter["message"]
    )
    assert f"rule {stopped['rule']}" in letter["message"]
    assert invoices.at_finance(world, invoice) == []

    world.correct(invoice.billed[0], msdyn_transactiontypecode=invoices.BILLED)
    world.forth("actuals", "transaction_connections", "invoice_proposals")
    assert len(invoices.at_finance(world, invoice)) == 1
    assert world.letters("actuals") + world.letters("invoice_proposals") == []


def test_what_skips_the_sync_holds_nobody_back(world: World, contract: tuple[str, str]) -> None:
    """The reversal of an unbilled actual never goes to Finance (R402), nor does its connection (R501)."""
    invoice = invoices.confirmed(world, *contract, lines=1)
    skipped = invoices.actuals(world, contract[0], 1, invoices.UNBILLED, {"msdyn_skipsync": True})
    invoices.connected(world, invoice.billed, skipped)
    world.forth("actuals", "transaction_connections", "invoice_proposals")
    assert len(invoices.at_finance(world, invoice)) == 1


def test_headers_wait_each_for_its_own(world: World, contract: tuple[str, str]) -> None:
    good = invoices.confirmed(world, *contract, lines=1)
    world.forth("actuals", "transaction_connections")
    late = invoices.confirmed(world, *contract, lines=1)
    empty, _ = invoices.header(world, *contract)
    outcome = world.forth("invoice_proposals")[HEADERS]
    assert (outcome.loaded, outcome.parked) == (2, 1)
    assert len(invoices.at_finance(world, good)) == 1
    assert invoices.at_finance(world, late) == []
    assert world.finance_rows("ProjectInvoiceProposalsV2", f"InvoiceProposalId eq '{empty}'") != []
    world.forth("actuals", "transaction_connections", "invoice_proposals")
    assert len(invoices.at_finance(world, late)) == 1


@pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="module")
def test_an_invoice_of_five_thousand_lines_is_billed_in_few_requests(
    world: World, contract: tuple[str, str]
) -> None:
    """10,000 actuals, where dual-write ends at 1,000 lines."""
    invoice = invoices.confirmed(world, *contract, lines=5000)
    world.forget_requests()
    moved = world.forth("actuals", "transaction_connections")
    assert (moved[ACTUALS].loaded, moved[CONNECTIONS].loaded) == (10_000, 5000)
    assert world.requests("finance", "POST", "$batch") < 250  # no request a row

    world.forget_requests()
    assert world.forth("invoice_proposals")[HEADERS].loaded == 1
    asked = world.requests("dataverse", "GET", "msdyn_actuals") + world.requests(
        "dataverse", "POST", "$batch"
    )
    assert asked <= 12
    assert len(invoices.at_finance(world, invoice)) == 1
    assert world.letters("invoice_proposals") == []
