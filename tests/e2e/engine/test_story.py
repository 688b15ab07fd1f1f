"""The life of a project, as `make demo` tells it, with the engine alone: to the cent, on both databases."""

from decimal import Decimal

from runner.ledger import clearing_accounts, unbalanced, without_their_voucher
from runner.story.accounting import TAX_GROUP
from tests.e2e.engine.told import Told
from tests.e2e.engine.truth import Truth, legs, maps
from tests.e2e.engine.world import Row, named

COST, UNBILLED, BILLED = 192350000, 192350005, 192350006
TIME, EXPENSE, MILESTONE = 192350000, 192350001, 192350003


def total(rows: list[Row], column: str) -> Decimal:
    return sum((Decimal(row[column]) for row in rows), Decimal(0))


def test_all_comes_to_rest_and_both_systems_agree_to_the_last_digit(told: Told) -> None:
    assert named(told.world.sync(), "loaded") == {}
    assert [letter for name in maps() for letter in told.world.letters(name)] == []
    truth = Truth(told.world)
    for map_id, leg in legs():
        compared, found = truth.differences(map_id, leg)
        # Both invoices have gone on from Confirmed to Posted, and with that out of their map's filter.
        assert compared > 0 or map_id == "invoice_proposals", (map_id, leg)
        assert found == []


def test_every_area_but_reference_data_had_something_to_move(told: Told) -> None:
    areas = {maps()[leg.partition("__")[0]]["area"] for leg, rows in told.moved.items() if rows}
    assert areas == {each["area"] for each in maps().values()} - {"reference_data"}


def test_the_ledger_balances_and_the_clearing_accounts_were_used_and_stand_at_zero(told: Told) -> None:
    assert unbalanced(told.wire) == []
    entries = told.wire.finance_rows("GeneralJournalAccountEntries")
    for kind in ("ExpenseIntegration", "ProcurementIntegration"):
        amounts = [Decimal(row["AccountingCurrencyAmount"]) for row in entries if row["PostingType"] == kind]
        assert len([amount for amount in amounts if amount]) >= 2
    balances = clearing_accounts(told.wire)
    assert set(balances) == {"USPM", "GBPM", "DEMF"}
    assert {amount for each in balances.values() for amount in each.values()} == {Decimal(0)}


def test_what_was_posted_is_known_in_dataverse_by_its_voucher(told: Told) -> None:
    assert without_their_voucher(told.wire) == []
    costs = told.actuals(COST, TIME)
    synced = [row for row in costs if not row["msdyn_skipsync"]]
    assert len(synced) >= 2
    assert all(row["msdyn_vouchernumber"] for row in synced)


def test_sales_tax_came_back_and_the_accountants_tax_group_is_still_theirs(told: Told) -> None:
    [contract] = told.wire.finance_rows(
        "ProjectContractHeaders", f"ProjectContractId eq '{told.engagement.number}'"
    )
    assert contract["SalesTaxGroupCode"] == TAX_GROUP
    [first] = [row for row in told.actuals(BILLED, TIME) if row["msdyn_quantity"] == 8]
    assert first["msdyn_salestaxamount"] == Decimal("142.00")  # 8.875% of 1,600
    where = f"_salesorderid_value eq {told.engagement.contract}"
    assert all(row["totaltax"] for row in told.world.dataverse_rows("invoices", where))


def test_hours_cost_100_and_are_billed_at_200(told: Told) -> None:
    [cost] = [row for row in told.actuals(COST, TIME) if row["msdyn_description"].startswith("Build")]
    assert (cost["msdyn_quantity"], cost["msdyn_amount"]) == (8, 800)
    first = [row for row in told.actuals(UNBILLED, TIME) if row["msdyn_quantity"] == 8]
    assert {row["msdyn_amount"] for row in first} >= {1600}


def test_the_milestone_was_billed_once(told: Told) -> None:
    assert [row["msdyn_amount"] for row in told.actuals(BILLED, MILESTONE)] == [5000]


def test_the_correction_leaves_six_of_eight_hours_billed(told: Told) -> None:
    billed = [row for row in told.actuals(BILLED, TIME) if row["msdyn_description"].startswith("Build")]
    assert total(billed, "msdyn_quantity") == 6
    assert total(billed, "msdyn_amount") == 1200
    open_hours = [
        row
        for row in told.actuals(UNBILLED, TIME)
        if row["msdyn_adjustmentstatus"] is None and row["msdyn_billingstatus"] == 192350000
    ]
    assert total(open_hours, "msdyn_quantity") == 2


def test_invoices_came_back_with_their_numbers(told: Told) -> None:
    where = f"_salesorderid_value eq {told.engagement.contract}"
    proformas = told.world.dataverse_rows("invoices", where)
    assert len(proformas) == 2
    assert all(row["msdyn_customerinvoicenumber"] for row in proformas)
    owed = told.world.finance_rows("CustomerTransactions", "dataAreaId eq 'uspm'")
    assert len(owed) == 2
    assert total(owed, "Amount") == total(proformas, "totalamount") > 0


def test_the_lender_s_hours_went_from_company_to_company(told: Told) -> None:
    journal = told.world.finance_rows("ProjectIntegrationJournalLines", "dataAreaId eq 'gbpm'")
    ours = {row["TransactionType"]: row for row in journal if row["ProjectDataAreaId"].lower() == "uspm"}
    assert (ours["ResourcingUnitCost"]["Amount"], ours["ResourcingUnitCost"]["CurrencyCode"]) == (880, "GBP")
    assert (ours["InterOrgSales"]["Amount"], ours["InterOrgSales"]["CurrencyCode"]) == (1200, "USD")
    [bought] = told.world.finance_rows(
        "VendorInvoiceHeaders",
        "dataAreaId eq 'uspm' and IsIntercompany eq Microsoft.Dynamics.DataEntities.NoYes'Yes'",
    )
    assert bought["InvoiceStatus"] == "Posted"


def test_the_subcontract_was_received_and_invoiced_once(told: Told) -> None:
    [line] = told.world.finance_rows(
        "PurchaseOrderLinesV2", f"ProjSubContractLineNumber eq 'SUBL-{told.engagement.serial}-1'"
    )
    assert (line["OrderedPurchaseQuantity"], line["ReceivedQuantity"], line["InvoicedQuantity"]) == (4, 4, 4)
