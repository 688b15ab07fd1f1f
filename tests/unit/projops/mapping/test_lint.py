from pathlib import Path

import pytest

from projops.mapping.cli import render_docs
from projops.mapping.description import as_plain
from projops.mapping.lint import lint
from projops.mapping.lint_fields import ACCOUNTING_ATTRIBUTES
from projops.mapping.model import DeleteLimit, Direction, Gate
from projops.mapping.paths import source_columns
from projops.mapping.reader import load_maps

from .conftest import GOOD_MAP, Write

ROOT = Path(__file__).parents[4]
TO_FINANCE = """\
  dataverse_to_finance:
    extract: {strategy: change_tracking}
    fields:
      PartyType: {constant: Organization}
"""


def test_the_maps_of_the_project_are_good() -> None:
    assert lint(ROOT / "include" / "mappings") == ()


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("dataverse: account", "dataverse: accounts", 5, "The catalog has no dataverse table accounts."),
        ("finance: CustomersV3", "finance: Customers", 6, "The catalog has no finance table Customers."),
        (
            "from: OrganizationName",
            "from: OrganisationName",
            16,
            "CustomersV3 has no column OrganisationName",
        ),
        ("      name:", "      nom:", 16, "account has no column nom"),
        ("      name:", "      createdon:", 16, "account.createdon is written by dataverse alone."),
        ("      name:", "      accountid:", 16, "account.accountid is written by dataverse alone."),
        ("      name:", "      accountnumber:", 16, "accountnumber is part of the key and needs no field."),
        ("      name:", "      name.x:", 16, "account.name is no lookup, so x cannot be read through it."),
        (
            "      name:",
            "      primarycontactid.fullname:",
            16,
            "account.primarycontactid leads to contact, which",
        ),
        ("      name:", "      transactioncurrencyid.currencyname:", 16, "No row can be found by"),
        (
            "  dataAreaId: msdyn_company.cdm_companycode\n",
            "",
            7,
            "The key field dataAreaId of CustomersV3 is not mapped",
        ),
        (
            "CustomerAccount: accountnumber",
            "CustomerAccount: name",
            7,
            "The key columns msdyn_company, name are no",
        ),
        ("CustomerAccount: accountnumber", "CustomerAccount: nummer", 8, "account has no column nummer"),
        ("needs: []", "needs: [nothing]", 10, "customers needs the map nothing, which does not exist."),
        ("needs: []", "needs: [customers]", 10, "customers stands in a cycle of needs"),
        ("companies: all", "companies: [uspm, frrt]", 11, "customers names the unknown company frrt."),
        ("incremental_export", "change_tracking", 13, "finance cannot be read by change_tracking."),
        (
            "incremental_export}",
            "incremental_export}\n    deletes: propagate",
            13,
            "The leg finance_to_dataverse hands on deletes, of which an export tells nothing.",
        ),
        (
            "incremental_export}",
            "snapshot, leaves: delete}",
            13,
            "but says delete for the ones and ignore for the others.",
        ),
        (
            "incremental_export}",
            "snapshot}\n    approve_deletes_above: {rows: 5}",
            13,
            "The leg finance_to_dataverse ignores deletes, but limits them.",
        ),
        (
            "incremental_export}",
            "snapshot}\n    deletes: propagate\n    approve_deletes_above: {share: 5}",
            16,
            "share of approve_deletes_above of the leg finance_to_dataverse is 5.",
        ),
        (
            "incremental_export}",
            "snapshot}\n    deletes: propagate\n    approve_deletes_above: {rows: 1.5}",
            16,
            "rows of approve_deletes_above of the leg finance_to_dataverse is 1.5.",
        ),
        (
            "incremental_export}",
            "snapshot}\n    deletes: propagate\n    approve_deletes_above: {rows: many}",
            16,
            "rows of approve_deletes_above of the leg finance_to_dataverse must be a number.",
        ),
        (
            "incremental_export}",
            "snapshot}\n    deletes: propagate\n    approve_deletes_above: {}",
            16,
            "approve_deletes_above of the leg finance_to_dataverse is empty.",
        ),
        ("incremental_export", "snapshot, where: \"X eq 'a'\"", 13, "CustomersV3 has no column X"),
        ("incremental_export", "incremental_export, also: [X]", 13, "CustomersV3 has no column X"),
        ("incremental_export", "incremental_export, also: X", 14, "also of extract must be a list of texts."),
        (
            "incremental_export",
            "snapshot, where: \"OnHoldStatus eq 'Off'\"",
            13,
            "The condition compares OnHoldStatus",
        ),
        (
            "from: OrganizationName",
            "from: CreditLimit",
            16,
            "The field name: the decimal value cannot become the text name.",
        ),
        (
            "name: {from: OrganizationName",
            "revenue: {from: OrganizationName",
            16,
            "The field revenue: the text value cannot",
        ),
        (
            "name: {from: OrganizationName",
            "creditonhold: {from: OnHoldStatus",
            16,
            "The field creditonhold: the enum value",
        ),
        (
            "from: OrganizationName",
            "from: OnHoldStatus, value_map: no_yes",
            16,
            "no line for Invoice of OnHoldStatus",
        ),
        ("from: OrganizationName", "from: Name, value_map: yes_no", 16, "CustomersV3 has no column Name"),
        (
            "from: OrganizationName",
            "from: PartyType, value_map: yes_no",
            16,
            "The field name: there is no value map",
        ),
        (
            "from: OrganizationName",
            "python: guess",
            16,
            "The field name: there is no registered function guess",
        ),
        (
            "name: {from: OrganizationName",
            "customertypecode: {constant: 13",
            16,
            "the constant 13 is no option of",
        ),
        ("{from: OrganizationName, required: true}", "{required: true}", 16, "The field name has no value."),
        (
            "from: OrganizationName",
            "from: PartyType, constant: x",
            16,
            "The field name takes both `from` and `constant`",
        ),
        ("required: true", "when: \"Nix eq 'a'\"", 16, "CustomersV3 has no column Nix"),
        (
            "name: {from: OrganizationName",
            "msdyn_onholdstatus: {from: OnHoldStatus, default: Off, value_map: on_hold_status",
            16,
            "The field msdyn_onholdstatus: there is no value map on_hold_status",
        ),
        (
            "name: {from: OrganizationName",
            "creditonhold: {from: CreditLimitIsMandatory, default: Never, value_map: no_yes",
            16,
            "the default Never has no line in the value map no_yes",
        ),
        ("required: true", "truncate: 161", 16, "a text of up to 161 characters is too long for name (160)"),
    ],
)
def test_a_wrong_map_is_named_by_file_and_line(
    folder: Path, write: Write, old: str, new: str, line: int, message: str
) -> None:
    text = GOOD_MAP.replace(old, new, 1)
    assert text != GOOD_MAP
    write("reference_data/customers", text)
    found = [str(finding) for finding in lint(folder)]
    place = f"include/mappings/reference_data/customers.yaml:{line}: "
    assert any(each.startswith(place) and message in each for each in found), found
    assert load_maps(folder).maps == {}


@pytest.mark.parametrize(
    "field", ["SalesTaxGroupCode", "BankAccountId", "DefaultLedgerDimensionDisplayValue"]
)
def test_finance_accounting_attributes_are_never_written_r101(folder: Path, write: Write, field: str) -> None:
    assert field in ACCOUNTING_ATTRIBUTES
    text = TO_FINANCE.replace("PartyType", field)
    write("reference_data/vendors", _vendors(text))
    assert any("accounting attribute, which Finance alone owns (R101)" in str(each) for each in lint(folder))


def test_a_shared_column_needs_a_conflict_rule(folder: Path, write: Write) -> None:
    both = GOOD_MAP + TO_FINANCE.replace(
        "PartyType: {constant: Organization}", "OrganizationName: {from: name}"
    )
    path = write("reference_data/customers", both)
    assert any("nothing says who wins" in str(finding) for finding in lint(folder))
    path.write_text(both + "conflict: finance\n")
    assert lint(folder) == ()


def test_a_value_map_that_gives_no_member_of_the_target_is_named(folder: Path, write: Write) -> None:
    rule = "OnHoldStatus: {from: creditonhold, value_map: no_yes}"
    write(
        "reference_data/customers", GOOD_MAP + TO_FINANCE.replace("PartyType: {constant: Organization}", rule)
    )
    assert any(
        "gives Yes, which is no member of CustVendorBlocked" in str(finding) for finding in lint(folder)
    )


def test_a_default_before_a_value_map_is_a_value_of_the_source(folder: Path, write: Write) -> None:
    rule = 'creditonhold: {from: CreditLimitIsMandatory, default: "No", value_map: no_yes'
    write("reference_data/customers", GOOD_MAP.replace("name: {from: OrganizationName", rule))
    assert lint(folder) == ()


def test_a_cycle_breaks_the_maps_in_it_only(folder: Path, write: Write) -> None:
    write("reference_data/customers", GOOD_MAP.replace("needs: []", "needs: [vendors]"))
    write("reference_data/vendors", _vendors("").replace("needs: []", "needs: [customers]"))
    write("reference_data/units", _units())
    loaded = load_maps(folder)
    assert list(loaded.maps) == ["units"]
    assert all("customers -> vendors -> customers" in broken.message for broken in loaded.broken)


def test_a_value_map_without_a_clear_way_back_is_found(folder: Path, write: Write) -> None:
    write("_shared/two_ways", 'value_map: two_ways\nvalues:\n  1: "A"\n  2: "A"\n')
    found = [str(finding) for finding in lint(folder)]
    assert found == [
        "include/mappings/_shared/two_ways.yaml:4: Two Dataverse values become A, "
        "so its way back is not clear. Say which under `to_dataverse:`, as `A: 2`."
    ]


def test_an_unknown_time_zone_is_found(folder: Path, write: Write) -> None:
    write("_shared/companies", "companies:\n  USPM: {zone: America/Nowhere}\n")
    assert "unknown time zone America/Nowhere" in str(lint(folder)[0])


def test_columns_that_only_expectations_look_at_are_extracted(folder: Path, write: Write) -> None:
    write("reference_data/customers", GOOD_MAP.replace("_export}", "_export, also: [CreditLimit]}"))
    assert lint(folder) == ()
    table_map = load_maps(folder).maps["customers"]
    leg = table_map.legs[Direction.FINANCE_TO_DATAVERSE]
    assert leg.extract.also == ("CreditLimit",)
    assert "CreditLimit" in source_columns(table_map, leg)


def test_a_leg_may_limit_its_deletes_by_share_and_number(folder: Path, write: Write) -> None:
    limit = "snapshot}\n    deletes: propagate\n    approve_deletes_above: {share: 0.25, rows: 7}"
    write("reference_data/customers", GOOD_MAP.replace("incremental_export}", limit))
    assert lint(folder) == ()
    table_map = load_maps(folder).maps["customers"]
    assert table_map.legs[Direction.FINANCE_TO_DATAVERSE].approve_deletes_above == DeleteLimit(0.25, 7)
    shown = as_plain(table_map)["legs"]["finance_to_dataverse"]
    assert shown["approve_deletes_above"] == {"share": 0.25, "rows": 7}
    assert "deletes propagate (asked about above 25% or 7 rows)" in render_docs(folder)


def test_a_gate_counts_by_a_lookup_of_the_actual_to_the_maps_own_table(folder: Path, write: Write) -> None:
    gate = "gate: {billed_actuals: msdyn_invoice}\n"
    write("project_invoices/invoices", _invoices() + gate)
    assert lint(folder) == ()
    assert load_maps(folder).maps["invoices"].gate == Gate("msdyn_invoice")

    write("project_invoices/invoices", _invoices() + gate.replace("msdyn_invoice", "msdyn_project"))
    [found] = lint(folder)
    assert "msdyn_actual.msdyn_project is no lookup to invoice" in found.message
    assert found.line == 14
    write("project_invoices/invoices", _invoices() + "gate: {lines: msdyn_invoice}\n")
    assert {"Gate has the unknown key lines.", "Gate lacks the entry billed_actuals."} == {
        finding.message for finding in lint(folder)
    }


def test_a_gate_needs_a_leg_that_it_can_hold_back(folder: Path, write: Write) -> None:
    write("reference_data/customers", GOOD_MAP + "gate: {billed_actuals: msdyn_accountcustomer}\n")
    assert [finding.message for finding in lint(folder)] == [
        "customers has a gate but no leg dataverse_to_finance."
    ]


def test_a_leg_that_never_creates_has_no_fields_of_creation(folder: Path, write: Write) -> None:
    once = GOOD_MAP.replace("required: true", "required: true, create_only: true")
    write("reference_data/customers", once)
    assert lint(folder) == ()
    write("reference_data/customers", once.replace("    fields:", "    write: update_only\n    fields:"))
    assert [finding.message for finding in lint(folder)] == [
        "The leg finance_to_dataverse updates no field.",
        "name is written at creation only, and this leg never creates a row.",
    ]


def test_a_column_that_one_leg_writes_at_creation_only_is_not_shared(folder: Path, write: Write) -> None:
    back = TO_FINANCE.replace("PartyType: {constant: Organization}", "OrganizationName: {from: name}")
    write("reference_data/customers", GOOD_MAP + back)
    assert any("nothing says who wins" in finding.message for finding in lint(folder))
    write("reference_data/customers", GOOD_MAP + back.replace("from: name", "from: name, create_only: true"))
    assert lint(folder) == ()


def _invoices() -> str:
    return """\
map: invoices
title: Invoices
version: 1.0.0.3
area: project_invoices
dataverse: invoice
finance: ProjectInvoiceProposalsV2
key:
  InvoiceProposalId: invoicenumber
  dataAreaId: msdyn_company.cdm_companycode
legs:
  dataverse_to_finance:
    extract: {strategy: change_tracking}
    fields: {Invoice: {from: name}}
"""


def _vendors(more: str) -> str:
    return (
        GOOD_MAP.replace("customers", "vendors", 1)
        .replace("dataverse: account", "dataverse: msdyn_vendor")
        .replace("CustomersV3", "VendorsV2")
        .replace("CustomerAccount: accountnumber", "VendorAccountNumber: msdyn_vendoraccountnumber")
        .replace("name: {from: OrganizationName", "msdyn_name: {from: VendorOrganizationName")
        + more
    )


def _units() -> str:
    return (
        GOOD_MAP.replace("map: customers", "map: units")
        .replace("dataverse: account", "dataverse: uom")
        .replace("CustomersV3", "UnitsOfMeasure")
        .replace("  CustomerAccount: accountnumber\n", "  UnitSymbol: msdyn_symbol\n")
        .replace("  dataAreaId: msdyn_company.cdm_companycode\n", "")
        .replace("name: {from: OrganizationName", "name: {from: UnitSymbol")
    )
