"""What must hold of the books: each breach planted alone is named alone, and a delay is none."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal

import pytest

from projops.reconcile.accounting import check
from projops.reconcile.accounting.check import MOST_NAMED
from projops.reconcile.model import Invariant, Scope
from tests.e2e.engine.books import (
    ACTUALS,
    ENTRIES,
    INVOICES,
    LINES,
    NOWHERE,
    PROPOSAL_LINES,
    PROPOSALS,
    STAGED,
    STATES,
    Cell,
    overwritten,
)
from tests.e2e.engine.told import Told
from tests.e2e.engine.world import Row, Value, World

COST, BILLED, TIME = 192350000, 192350006, 192350000
# The rules are judged in DuckDB, whatever database the sandbox and the state have.
on_one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="module")
USPM = Scope(companies=("uspm",))
SEPTEMBER = Scope(companies=("uspm",), since=date(2026, 9, 1), until=date(2026, 9, 30))
OCTOBER = Scope(companies=("uspm",), since=date(2026, 10, 1), until=date(2026, 10, 31))
NOVEMBER = Scope(companies=("uspm",), since=date(2026, 11, 1), until=date(2026, 11, 30))


class Work:
    """Eight hours of the story, as both systems have booked them."""

    def __init__(self, told: Told) -> None:
        cost = self._build(told, COST)
        self.actual, self.guid = cost["msdyn_actualimportid"], cost["msdyn_actualid"]
        self.line = told.world.finance_row(
            "ProjectIntegrationJournalLines", f"ActualsImportId eq {self.actual}"
        )
        self.voucher = self.line["Voucher"]
        billed = [row for row in told.actuals(BILLED, TIME) if row["msdyn_quantity"] == 8]
        self.billed, self.billed_guid = billed[0]["msdyn_actualimportid"], billed[0]["msdyn_actualid"]
        staged = told.world.finance_row("ProjActualsImports", f"ActualsImportId eq {self.billed}")
        self.proposal = staged["InvoiceProposalId"]

    @staticmethod
    def _build(told: Told, kind: int) -> Row:
        [row] = [row for row in told.actuals(kind, TIME) if row["msdyn_description"].startswith("Build")]
        return row


def books(world: World, scope: Scope = USPM) -> tuple[Invariant, ...]:
    async def read() -> tuple[Invariant, ...]:
        with world.engine() as engine:
            async with engine.systems() as systems:
                return await check(engine, systems, scope)

    return asyncio.run(read())


def named(found: Sequence[Invariant]) -> set[tuple[str, bool, str]]:
    """Give what breaks a rule, or waits: the rule, whether it merely waits, and the thing."""
    return {(each.name, each.pending, each.subject) for each in found if not each.holds or each.pending}


@pytest.fixture(scope="module")
def worked(told: Told) -> Work:
    return Work(told)


def test_after_the_story_every_rule_holds_in_every_company(told: Told) -> None:
    found = books(told.world, Scope())
    assert named(found) == set()
    assert {each.company for each in found} == {"uspm", "gbpm", "demf"}
    rules = {each.name for each in found}
    assert len(found) == 3 * len(rules)
    assert {each.name for each in books(told.world, OCTOBER)} == rules


def of_actual(column: str, actual: str) -> str:
    return f"\"{column}\" = '{actual}'"


def on_voucher(work: Work, posting_type: str) -> str:
    return f"\"Voucher\" = '{work.voucher}' AND \"PostingType\" = '{posting_type}'"


Plant = Callable[[Work], tuple[Sequence[Cell], tuple[str, bool, str]]]


def a_cent(work: Work) -> tuple[Sequence[Cell], tuple[str, bool, str]]:
    amount = str(Decimal(work.line["AccountingAmount"]) + Decimal("0.01"))
    cell = Cell(ENTRIES, "AccountingCurrencyAmount", on_voucher(work, "ProjectCost"), amount)
    return [cell], ("debits_equal_credits", False, f"voucher {work.voucher}")


def on_the_wrong_account(kind: str) -> Plant:
    def plant(work: Work) -> tuple[Sequence[Cell], tuple[str, bool, str]]:
        where = on_voucher(work, "PayrollAllocation")
        cell = Cell(ENTRIES, "PostingType", where, f"{kind.title()}Integration")
        return [cell], (f"clearing_{kind}", False, f"{kind} integration account")

    return plant


def voucher_without_entries(work: Work) -> tuple[Sequence[Cell], tuple[str, bool, str]]:
    cell = Cell(ENTRIES, "dataAreaId", of_actual("Voucher", work.voucher), NOWHERE)
    return [cell], ("vouchers_booked", False, line_of(work))


def voucher_lost_in_staging(work: Work) -> tuple[Sequence[Cell], tuple[str, bool, str]]:
    cell = Cell(STAGED, "VoucherNumber", of_actual("ActualsImportId", work.actual), "")
    return [cell], ("vouchers_booked", False, f"actual {work.actual}")


def invoice_voucher_lost_in_staging(work: Work) -> tuple[Sequence[Cell], tuple[str, bool, str]]:
    cell = Cell(STAGED, "VoucherNumber", of_actual("ActualsImportId", work.billed), "")
    return [cell], ("vouchers_booked", False, f"actual {work.billed}")


def voucher_lost_in_dataverse(work: Work) -> tuple[Sequence[Cell], tuple[str, bool, str]]:
    cell = Cell(ACTUALS, "msdyn_vouchernumber", of_actual("msdyn_actualid", work.guid), None)
    return [cell], ("vouchers_returned", False, f"actual {work.actual}")


def another_invoice_voucher_in_dataverse(work: Work) -> tuple[Sequence[Cell], tuple[str, bool, str]]:
    cell = Cell(ACTUALS, "msdyn_vouchernumber", of_actual("msdyn_actualid", work.billed_guid), "USPM-X")
    return [cell], ("vouchers_returned", False, f"actual {work.billed}")


def gone_from_staging(work: Work) -> tuple[Sequence[Cell], tuple[str, bool, str]]:
    where = of_actual("ActualsImportId", work.actual)
    cells = [Cell(table, "dataAreaId", where, NOWHERE) for table in (STAGED, STATES)]
    return cells, ("actuals_staged", False, f"actual {work.guid}")


def journal_line_gone(work: Work) -> tuple[Sequence[Cell], tuple[str, bool, str]]:
    cell = Cell(LINES, "dataAreaId", of_actual("ActualsImportId", work.actual), NOWHERE)
    return [cell], ("actuals_journalised", False, f"actual {work.actual}")


def processed_into_nothing(work: Work) -> tuple[Sequence[Cell], tuple[str, bool, str]]:
    where = of_actual("ActualsImportId", work.actual)
    cells = [
        Cell(LINES, "dataAreaId", where, NOWHERE),
        Cell(STATES, "JournalId", where, ""),
        Cell(STAGED, "IsJournalized", where, "No"),
    ]
    return cells, ("actuals_journalised", False, f"actual {work.actual}")


def waiting_in_staging(work: Work) -> tuple[Sequence[Cell], tuple[str, bool, str]]:
    where = of_actual("ActualsImportId", work.actual)
    cells = [Cell(LINES, "dataAreaId", where, NOWHERE), Cell(STATES, "IsProcessed", where, "No")]
    return cells, ("actuals_journalised", True, f"actual {work.actual}")


def line_set_back(status: str) -> Plant:
    def plant(work: Work) -> tuple[Sequence[Cell], tuple[str, bool, str]]:
        cell = Cell(LINES, "LineStatus", of_actual("ActualsImportId", work.actual), status)
        return [cell], ("lines_posted", True, line_of(work))

    return plant


def invoice_line_gone(work: Work) -> tuple[Sequence[Cell], tuple[str, bool, str]]:
    cell = Cell(PROPOSAL_LINES, "dataAreaId", of_actual("ActualsImportId", work.billed), NOWHERE)
    return [cell], ("billed_invoiced", False, f"actual {work.billed}")


def billed_for_no_invoice(work: Work) -> tuple[Sequence[Cell], tuple[str, bool, str]]:
    cell = Cell(STAGED, "InvoiceProposalId", of_actual("ActualsImportId", work.billed), "")
    return [cell], ("billed_invoiced", False, f"actual {work.billed}")


def proposal_set_back(work: Work) -> tuple[Sequence[Cell], tuple[str, bool, str]]:
    cell = Cell(PROPOSALS, "ProposalStatus", of_actual("InvoiceProposalId", work.proposal), "Ready")
    return [cell], ("proposals_posted", True, f"invoice proposal {work.proposal}")


def proposal_not_there(work: Work) -> tuple[Sequence[Cell], tuple[str, bool, str]]:
    cell = Cell(PROPOSALS, "dataAreaId", of_actual("InvoiceProposalId", work.proposal), NOWHERE)
    return [cell], ("billed_invoiced", True, f"invoice proposal {work.proposal}")


def line_of(work: Work) -> str:
    return f"journal {work.line['JournalId']} line {work.line['LineNumber']}"


PLANTS: Sequence[Plant] = (
    a_cent,
    on_the_wrong_account("expense"),
    on_the_wrong_account("procurement"),
    voucher_without_entries,
    voucher_lost_in_staging,
    invoice_voucher_lost_in_staging,
    voucher_lost_in_dataverse,
    another_invoice_voucher_in_dataverse,
    gone_from_staging,
    journal_line_gone,
    processed_into_nothing,
    waiting_in_staging,
    line_set_back("Draft"),
    line_set_back("Error"),
    invoice_line_gone,
    billed_for_no_invoice,
    proposal_set_back,
    proposal_not_there,
)


@on_one_database
@pytest.mark.parametrize("plant", PLANTS)
def test_a_breach_planted_alone_is_named_alone(told: Told, worked: Work, plant: Plant) -> None:
    cells, expected = plant(worked)
    with overwritten(told.databases.sandbox, *cells):
        found = books(told.world)
        assert named(found) == {expected}
        # What waits breaks no rule, so that the rule holds as well; what is broken does not.
        held = {each.name for each in found if each.holds and not each.pending}
        assert (expected[0] in held) is expected[1]


@on_one_database
def test_a_missing_invoice_is_named_by_all_that_it_billed(told: Told, worked: Work) -> None:
    where = f"\"InvoiceProposalId\" = '{worked.proposal}'"
    lines = told.world.finance_rows(
        "ProjectInvoiceProposalLines", f"InvoiceProposalId eq '{worked.proposal}'"
    )
    billed = {f"actual {line['ActualsImportId']}" for line in lines}
    assert len(billed) > 1
    with overwritten(told.databases.sandbox, Cell(INVOICES, "dataAreaId", where, NOWHERE)):
        assert named(books(told.world)) == {("billed_invoiced", False, each) for each in billed}


@on_one_database
def test_of_many_breaches_the_first_are_named_and_the_rest_counted(told: Told) -> None:
    with overwritten(told.databases.sandbox, Cell(LINES, "LineStatus", "\"dataAreaId\" = 'USPM'", "Draft")):
        found = [each for each in books(told.world) if each.name == "lines_posted" and each.pending]
    lines = told.world.finance_rows("ProjectIntegrationJournalLines", "dataAreaId eq 'uspm'")
    assert len(found) == MOST_NAMED < len(lines)
    assert f"(And {len(lines) - MOST_NAMED} more like it.)" in found[-1].message
    assert not any("more like it" in each.message for each in found[:-1])


@on_one_database
def test_a_breach_is_charged_to_its_own_company_and_period(told: Told, worked: Work) -> None:
    """A voucher belongs to the month of its day; a balance is carried on from month to month."""
    cells, expected = a_cent(worked)
    with overwritten(told.databases.sandbox, *cells):
        assert named(books(told.world, OCTOBER)) == {expected}
        assert named(books(told.world, Scope(companies=("gbpm", "demf")))) == set()
        assert named(books(told.world, NOVEMBER)) == set()
    cells, expected = on_the_wrong_account("expense")(worked)
    with overwritten(told.databases.sandbox, *cells):
        assert named(books(told.world, NOVEMBER)) == {expected}
        assert named(books(told.world, SEPTEMBER)) == set()


def test_r903_a_posted_expense_waits_step_by_step_until_its_cost_is_posted(told: Told) -> None:
    """A delay is no breach, whichever side it is on; what waits is named at each step, and by its step."""
    world, wire = told.world, told.wire
    number = _post_an_expense(told)
    [account] = [each for each in books(world) if each.pending or not each.holds]
    assert (account.name, account.holds) == ("clearing_expense", True)
    assert "It stands at 80 " in account.message
    assert f"{number} has not come back" in account.message

    world.sync("expenses")
    wire.run_job("auto-approve")
    assert _waiting(world) == {"clearing_expense": 1, "actuals_staged": 2}
    world.sync("actuals")
    assert _waiting(world) == {"clearing_expense": 1, "actuals_journalised": 2}
    wire.run_job("import-from-staging")
    assert _waiting(world) == {"clearing_expense": 1, "lines_posted": 2}
    wire.run_job("post-integration-journal")
    assert _waiting(world) == {"vouchers_returned": 2}
    world.sync("actuals")
    assert named(books(world)) == set()


def _post_an_expense(told: Told) -> str:
    """Spend 80 on the project of the story, one more time; give the number of the expense."""
    world = told.world
    [before] = world.finance_rows("ExpenseReports")
    [line] = world.finance_rows("ExpenseReportLines")
    number = f"{before['ExpenseReportNumber']}-A"
    mine: Row = {"ExpenseReportNumber": number}
    report: Row = {"ExpenseReportStatus": "Approved", "Voucher": ""}
    expense: Row = {"ExpTransNumber": f"{number}-1", "Amount": 80, "TaxAmount": 0}
    world.post("ExpenseReports", **{**_own(before), **mine, **report})
    world.post("ExpenseReportLines", **{**_own(line), **mine, **expense})
    world.job("post-expense-reports")
    return f"{number}-1"


def _own(row: Row) -> dict[str, Value]:
    return {
        name: float(value) if isinstance(value, Decimal) else value
        for name, value in row.items()
        if not name.startswith("@")
    }


def _waiting(world: World) -> dict[str, int]:
    """Count by rule what waits; nothing may be broken."""
    found = books(world)
    assert all(each.holds for each in found)
    counts: dict[str, int] = {}
    for each in found:
        if each.pending:
            counts[each.name] = counts.get(each.name, 0) + 1
    return counts
