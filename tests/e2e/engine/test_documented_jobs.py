"""E8 to E16 from the jobs and journals of Finance: told, set aside under their id, gone after the remedy."""

from typing import Any

import pytest

from tests.e2e.engine import invoices, rows
from tests.e2e.engine.world import World

IMPORT, POST, DRAFT = "import-from-staging", "post-integration-journal", "update-journal-to-draft"
JOURNALS = "post-general-journals"
OPEN, CLOSED = "Open", "Closed"
INACTIVE, ACTIVE = {"statecode": 1, "statuscode": 2}, {"statecode": 0, "statuscode": 1}


@pytest.fixture(scope="module")
def contract(shared_world: World) -> tuple[str, str]:
    """A contract and its funding source; what came before has passed the import."""
    shared_world.job(IMPORT)
    return invoices.contract_in_step(shared_world)


@pytest.fixture
def project(world: World, contract: tuple[str, str]) -> tuple[str, str]:
    """A project on the contract, in step: GUID and number."""
    number = rows.fresh("PRJ")
    link = {"msdyn_salesorderid@odata.bind": rows.bound("salesorders", contract[0])}
    made = rows.project(world, number, **link)
    world.forth("projects")
    return made, number


def staged(world: World, contract: tuple[str, str], project: tuple[str, str], **values: Any) -> str:
    """An hour of unbilled sales on the project, in Finance's staging; gives its key as letters have it."""
    link = {"msdyn_project@odata.bind": rows.bound("msdyn_projects", project[0])}
    [actual] = invoices.actuals(world, contract[0], 1, invoices.UNBILLED, link | values)
    world.forth("actuals")
    row = world.finance_row("ProjActualsImports", f"ActualId eq {actual}")
    return f'["{row["ActualsImportId"].lower()}","uspm"]'


def told(world: World, map_id: str, key: str) -> list[dict[str, Any]]:
    """What Finance's jobs say of a row, as the dead letters have it after a run."""
    world.sync(map_id)
    found = [each for each in world.letters(map_id) if each["key"] == key]
    assert {each["stage"] for each in found} <= {"finance"}
    return found


def rules(world: World, map_id: str, key: str) -> list[str]:
    return [each["rule"] for each in told(world, map_id, key)]


def periods(world: World, status: str, since: str = "2026-10-01") -> None:
    """Open or close the fiscal periods of USPM from a day on."""
    for row in world.finance_rows("LedgerFiscalPeriods", "dataAreaId eq 'uspm'"):
        if row["StartDate"][:10] >= since and row["PeriodStatus"] != status:
            key = {name: row[name] for name in ("dataAreaId", "FiscalYear", "PeriodName")}
            world.patch("LedgerFiscalPeriods", key, PeriodStatus=status)


def test_e8_a_closed_project(world: World, contract: tuple[str, str], project: tuple[str, str]) -> None:
    world.change("msdyn_projects", project[0], **INACTIVE)
    world.forth("projects")
    key = staged(world, contract, project)
    world.job(IMPORT)
    assert rules(world, "actuals", key) == ["E8"]

    world.change("msdyn_projects", project[0], **ACTIVE)
    world.forth("projects")
    world.job(IMPORT)
    assert rules(world, "actuals", key) == []


def test_e9_what_an_invoice_bills_is_not_posted(world: World, contract: tuple[str, str]) -> None:
    invoice = invoices.confirmed(world, *contract, lines=1)
    world.forth("actuals", "transaction_connections", "invoice_proposals")
    world.job(IMPORT)
    key = f'["{invoice.number.lower()}","uspm"]'
    assert rules(world, "invoice_proposals", key) == ["E9"]

    world.job(POST)
    world.job(IMPORT)
    assert rules(world, "invoice_proposals", key) == []


def test_e10_dataverse_counts_other_actuals(world: World, contract: tuple[str, str]) -> None:
    invoice = invoices.confirmed(world, *contract, lines=1)
    world.forth("actuals", "transaction_connections", "invoice_proposals")
    unbilled = invoices.actuals(world, contract[0], 1, invoices.UNBILLED)
    link = {"msdyn_invoice@odata.bind": rows.bound("invoices", invoice.id)}
    invoices.connected(world, invoices.actuals(world, contract[0], 1, invoices.BILLED, link), unbilled)
    world.job(IMPORT)
    key = f'["{invoice.number.lower()}","uspm"]'
    assert rules(world, "invoice_proposals", key) == ["E10"]

    world.forth("actuals", "transaction_connections")
    world.job(IMPORT)
    world.job(POST)
    world.job(IMPORT)
    assert rules(world, "invoice_proposals", key) == []


def test_e11_companies_that_do_not_know_each_other(
    world: World, contract: tuple[str, str], project: tuple[str, str]
) -> None:
    relations = "IntercompanyProjectRelations"
    [held] = world.finance_rows(relations, "LendingLegalEntityId eq 'GBPM'")
    key = {name: held[name] for name in ("LendingLegalEntityId", "BorrowingLegalEntityId")}
    world.remove(relations, key)
    lender = {"msdyn_resourcingcompany@odata.bind": rows.company(world, "GBPM")}
    actual = staged(world, contract, project, **lender)
    world.job(IMPORT)
    assert rules(world, "actuals", actual) == ["E11"]

    world.post(relations, **{name: value for name, value in held.items() if not name.startswith("@")})
    world.job(IMPORT)
    assert rules(world, "actuals", actual) == []


@pytest.mark.parametrize(("moves", "number"), [("No", "E12"), ("Yes", "E13")])
def test_e12_e13_no_open_period(
    world: World, contract: tuple[str, str], project: tuple[str, str], moves: str, number: str
) -> None:
    parameters = world.finance_row("ProjectParametersV2", "dataAreaId eq 'uspm'")
    place = f"dataAreaId='uspm',Key={parameters['Key']}"
    world.patch_at("ProjectParametersV2", place, IsAccountingDateUpdateAllowed=moves)
    periods(world, CLOSED)
    key = staged(world, contract, project)
    world.job(IMPORT)
    assert rules(world, "actuals", key) == [number]

    periods(world, OPEN)
    world.job(IMPORT)
    assert rules(world, "actuals", key) == []
    kept = parameters["IsAccountingDateUpdateAllowed"]
    world.patch_at("ProjectParametersV2", place, IsAccountingDateUpdateAllowed=kept)


def test_e14_a_journal_line_that_cannot_be_posted(
    world: World, contract: tuple[str, str], project: tuple[str, str]
) -> None:
    key = staged(world, contract, project)
    world.job(IMPORT)
    periods(world, CLOSED)
    world.job(POST)
    [letter] = told(world, "actuals", key)
    assert letter["rule"] == "E14"
    assert "failed to post due to" in letter["message"]

    periods(world, OPEN)
    world.job(DRAFT)
    world.job(POST)
    assert rules(world, "actuals", key) == []


def journal_line(world: World, journal: str, place: int, project_number: str) -> None:
    world.post(
        "GeneralJournalLines",
        dataAreaId="uspm",
        JournalBatchNumber=journal,
        LineNumber=place,
        ProjectId=project_number,
        TransactionDate="2026-10-20T12:00:00Z",
        Quantity=1,
        CostPrice=40.25,
        CurrencyCode="USD",
        OffsetAccount="606100",
        Text="Parking",
    )


def leave_out(world: World, journal: str, place: int) -> None:
    """Take the project off a line."""
    world.patch_at(
        "GeneralJournalLines",
        f"dataAreaId='uspm',JournalBatchNumber='{journal}',LineNumber={place}",
        ProjectId="",
    )


def test_e15_a_journal_of_too_many_project_lines(world: World, project: tuple[str, str]) -> None:
    journal, lines = rows.fresh("GJ"), range(1, 202)
    for place in lines:
        journal_line(world, journal, place, project[1])
    world.job(JOURNALS)
    key = f'["{journal.lower()}","uspm"]'
    assert rules(world, "actuals", key) == ["E15"]
    for place in lines:
        leave_out(world, journal, place)
    world.job(JOURNALS)
    assert rules(world, "actuals", key) == []


def test_e16_a_journal_line_on_a_project_without_a_contract(world: World) -> None:
    number, journal = rows.fresh("PRJ"), rows.fresh("GJ")
    rows.project(world, number)
    world.forth("projects")
    journal_line(world, journal, 1, number)
    world.job(JOURNALS)
    key = f'["{journal.lower()}","uspm"]'
    assert rules(world, "actuals", key) == ["E16"]
    leave_out(world, journal, 1)
    world.job(JOURNALS)
    assert rules(world, "actuals", key) == []
