from dataclasses import replace
from pathlib import Path

import pytest

from projops.mapping import catalog
from projops.mapping.cli import render_docs
from projops.mapping.description import as_plain, differences
from projops.mapping.fingerprint import fingerprint
from projops.mapping.lint import lint
from projops.mapping.model import Direction, System
from projops.mapping.paths import period_paths
from projops.mapping.reader import load_maps

from .conftest import Write

LOADED = load_maps(Path(__file__).parents[4] / "include" / "mappings")
INVOICES = """\
map: invoices
title: Invoices
version: 1.0.0.3
area: project_invoices
dataverse: invoice
finance: ProjectInvoiceProposalsV2
key:
  InvoiceProposalId: invoicenumber
  dataAreaId: msdyn_company.cdm_companycode
period: [InvoiceDate]
legs:
  dataverse_to_finance:
    extract: {strategy: change_tracking}
    fields: {InvoiceDate: {from: msdyn_invoicedate}}
"""

# What is booked in Finance on a day of its own, and by which days both sides tell which.
DAYS = {
    "actuals": (("AccountingDate", "DocumentDate"), ("msdyn_accountingdate", "msdyn_documentdate")),
    "customer_invoices": (("CustomerInvoiceDate",), ("msdyn_customerinvoicedate",)),
    "expenses": (("TransDate",), ("msdyn_transactiondate",)),
    "invoice_proposals": (("InvoiceDate",), ("msdyn_invoicedate",)),
    "material_usage": (("PackingSlipDate",), ("msdyn_transactiondate",)),
    "milestones": (("LedgerTransactionDate",), ("msdyn_milestonedate",)),
    "vendor_invoice_lines": (("TransDate",), ("msdyn_transactiondate",)),
    "vendor_invoices": (("TransDate",), ("msdyn_invoicedate",)),
    "vendor_invoices_v1": (("TransDate",), ("msdyn_invoicedate",)),
}


def test_rows_that_are_booked_belong_to_a_period_and_both_sides_can_tell_which() -> None:
    assert {name: each.period for name, each in LOADED.maps.items() if each.period} == {
        name: finance for name, (finance, _) in DAYS.items()
    }
    for name, (finance, dataverse) in DAYS.items():
        assert period_paths(LOADED.maps[name], System.FINANCE) == finance
        assert period_paths(LOADED.maps[name], System.DATAVERSE) == dataverse


def test_dataverse_tells_the_day_also_where_a_leg_from_finance_does_not_carry_it() -> None:
    back = LOADED.maps["actuals"].legs[Direction.FINANCE_TO_DATAVERSE]
    assert not any(rule.target == "msdyn_accountingdate" for rule in back.fields)
    assert period_paths(LOADED.maps["actuals"], System.DATAVERSE)[0] == "msdyn_accountingdate"


def test_a_day_of_the_key_counts_too() -> None:
    rates = replace(LOADED.maps["exchange_rates"], period=("ValidFrom",))
    assert period_paths(rates, System.DATAVERSE) == ("msdyn_validfrom",)


def test_a_period_moves_no_data_so_that_no_leg_starts_afresh_because_of_it() -> None:
    table_map = LOADED.maps["actuals"]
    without = replace(table_map, period=())
    for leg in table_map.legs.values():
        shared = LOADED.value_maps
        assert fingerprint(table_map, leg, shared) == fingerprint(without, leg, shared)
    assert differences(without, table_map) == (("period", "[]", "[AccountingDate, DocumentDate]"),)


@pytest.mark.parametrize(
    ("period", "message"),
    [
        ("[InvoceDate]", "ProjectInvoiceProposalsV2 has no column InvoceDate, so it can say no period."),
        ("[ContractName]", "ProjectInvoiceProposalsV2.ContractName is no date, so it can say no period."),
        ("[]", None),
        ("[InvoiceDate]", None),
    ],
)
def test_a_period_is_a_date_of_finance(folder: Path, write: Write, period: str, message: str | None) -> None:
    write("project_invoices/invoices", INVOICES.replace("[InvoiceDate]", period))
    found = lint(folder)
    assert [(each.line, each.message) for each in found] == ([] if message is None else [(10, message)])


def test_a_day_that_no_leg_maps_says_nothing_of_rows_in_dataverse(folder: Path, write: Write) -> None:
    assert catalog.finance_tables()["ProjectInvoiceProposalsV2"].columns["InvoiceDate"].is_day
    unmapped = INVOICES.replace("{InvoiceDate: {from: msdyn_invoicedate}}", "{ContractName: {from: name}}")
    write("project_invoices/invoices", unmapped)
    assert [each.message for each in lint(folder)] == [
        "No leg of invoices maps InvoiceDate, so Dataverse cannot say a row's period."
    ]


def test_documentation_and_plain_values_say_the_period(folder: Path, write: Write) -> None:
    write("project_invoices/invoices", INVOICES)
    assert "The accounting period of a row is the month of InvoiceDate." in render_docs(folder)
    assert as_plain(load_maps(folder).maps["invoices"])["period"] == ["InvoiceDate"]
