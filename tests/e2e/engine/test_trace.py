"""`projops trace` over the story of the demo: every voucher leads back to what was entered.

Where a voucher must lead is worked out here from both systems by plain HTTP, and by other columns than
the trace follows: work is known by project, task, resource and day, not by origins and connections.
"""

import asyncio
import json
from collections.abc import Callable, Collection, Iterable
from functools import cached_property
from typing import Any

import pytest

from projops.cli import main
from projops.engine import Engine
from projops.errors import StopError
from projops.lineage.trace.entities import ENTRY
from projops.lineage.trace.finding import Finder
from projops.lineage.trace.kinds import KINDS
from projops.lineage.trace.links import provenance
from projops.lineage.trace.model import Trace
from projops.lineage.trace.reading import Reader
from projops.lineage.trace.records import Towards
from projops.lineage.trace.tracing import WIDE, Candidates, trace
from projops.lineage.trace.walking import Bound, walk
from projops.mapping.model import Direction, System
from projops.state import crosswalk
from projops.state.crosswalk import Entry
from tests.e2e.engine.told import Told
from tests.e2e.engine.world import TOKEN, Row, World

Origin = tuple[str, str]  # entity, identity
Voucher = tuple[str, str]  # company, number
_NO_ACTUAL = "00000000-0000-0000-0000-000000000000"
_EXPENSE, _MILESTONE = 192350001, 192350003


class Books:
    """Both systems read whole, and where each voucher must come from."""

    def __init__(self, world: World) -> None:
        self._world = world

    @cached_property
    def vouchers(self) -> set[Voucher]:
        return {_voucher(row) for row in self._finance("GeneralJournalAccountEntries")}

    @cached_property
    def origins(self) -> dict[Voucher, set[Origin]]:
        """Give what each voucher stems from, document by document."""
        found: dict[Voucher, set[Origin]] = {}
        for row in self._finance("ProjectIntegrationJournalLines"):
            of = row["ActualsImportId"] if row["ActualsImportId"] != _NO_ACTUAL else row["SourceActualId"]
            found[_voucher(row)] = self._of_actual(of)
        for row in self._finance("ProjectCustomerInvoices"):
            found[_voucher(row)] = self._of_invoice(row)
        for row in self._finance("ExpenseReports"):
            found[_voucher(row)] = self._of_lines("ExpenseReportLines", row, "ExpenseReportNumber")
        for row in self._finance("VendorInvoiceHeaders"):
            found[_voucher(row)] = self._of_vendor_invoice(row)
        for row in self._finance("ProductReceiptHeaders"):
            lines = self._lines("ProductReceiptLines", row, "ProductReceiptNumber")
            found[_voucher(row)] = self._of_actuals(lines)
        return found

    def _of_invoice(self, invoice: Row) -> set[Origin]:
        if invoice["IsIntercompany"] == "No":
            return self._of_actuals(self._lines("ProjectInvoiceProposalLines", invoice, "InvoiceProposalId"))
        [bought] = [
            row
            for row in self._finance("VendorInvoiceHeaders")
            if row["IsIntercompany"] == "Yes" and row["InvoiceNumber"] == invoice["InvoiceId"]
        ]
        return self._of_vendor_invoice(bought)

    def _of_vendor_invoice(self, invoice: Row) -> set[Origin]:
        lines = self._lines("VendorInvoiceLines", invoice, "HeaderReference")
        if invoice["IsIntercompany"] == "Yes":
            return self._of_actuals(lines)
        return {_vendor_line(line) for line in lines}

    def _of_lines(self, entity_set: str, header: Row, number: str) -> set[Origin]:
        return {
            (entity_set, f"{line['dataAreaId']}/{line['ExpTransNumber']}".lower())
            for line in self._lines(entity_set, header, number)
        }

    def _of_actuals(self, lines: Iterable[Row]) -> set[Origin]:
        return {origin for line in lines for origin in self._of_actual(line["ActualsImportId"])}

    def _of_actual(self, import_id: str) -> set[Origin]:
        """Give the work behind an actual by what both say of it: project, task, resource and day."""
        actual = self._actuals[import_id]
        if actual["msdyn_transactionclassification"] == _MILESTONE:
            return {
                ("msdyn_contractlinescheduleofvalue", row["msdyn_contractlinescheduleofvalueid"])
                for row in self._dataverse("msdyn_contractlinescheduleofvalues")
                if row["_msdyn_contractlineid_value"] == actual["_msdyn_salescontractlineid_value"]
            }
        if actual["msdyn_transactionclassification"] == _EXPENSE:
            return {
                ("ExpenseReportLines", f"{row['dataAreaId']}/{row['ExpTransNumber']}".lower())
                for row in self._finance("ExpenseReportLines")
                if row["ProjectId"] == self._projects[actual["_msdyn_project_value"]]
            }
        return self._worked(actual) | self._bought(actual)

    def _worked(self, actual: Row) -> set[Origin]:
        lookups = {"project": "project", "task": "projecttask", "bookableresource": "bookableresource"}
        return {
            ("msdyn_timeentry", row["msdyn_timeentryid"])
            for row in self._dataverse("msdyn_timeentries")
            if row["msdyn_date"][:10] == actual["msdyn_documentdate"][:10]
            and all(
                row[f"_msdyn_{ours}_value"] == actual[f"_msdyn_{theirs}_value"]
                for theirs, ours in lookups.items()
            )
        }

    def _bought(self, actual: Row) -> set[Origin]:
        """Give the vendor's invoice line whose price the actual bears."""
        wanted = {actual["_msdyn_vendorinvoiceline_value"]} - {None}
        numbers = {
            row["msdyn_externalinvoiceline"]
            for row in self._dataverse("msdyn_projectvendorinvoicelines")
            if row["msdyn_projectvendorinvoicelineid"] in wanted
        }
        return {
            _vendor_line(row) for row in self._finance("VendorInvoiceLines") if row["ProjTransId"] in numbers
        }

    def _lines(self, entity_set: str, header: Row, number: str) -> list[Row]:
        place = (header["dataAreaId"], header[number])
        return [row for row in self._finance(entity_set) if (row["dataAreaId"], row[number]) == place]

    @cached_property
    def _projects(self) -> dict[str, str]:
        return {
            row["msdyn_projectid"]: row["msdyn_projectnumber"] for row in self._dataverse("msdyn_projects")
        }

    @cached_property
    def _actuals(self) -> dict[str, Row]:
        return {row["msdyn_actualimportid"]: row for row in self._dataverse("msdyn_actuals")}

    def _finance(self, entity_set: str) -> list[Row]:
        return self._once(entity_set, self._world.finance_rows)

    def _dataverse(self, entity_set: str) -> list[Row]:
        return self._once(entity_set, self._world.dataverse_rows)

    def _once(self, entity_set: str, read: Callable[[str], list[Row]]) -> list[Row]:
        kept: dict[str, list[Row]] = self.__dict__.setdefault("_kept", {})
        if entity_set not in kept:
            kept[entity_set] = read(entity_set)
        return kept[entity_set]


def _voucher(row: Row) -> Voucher:
    return row["dataAreaId"].lower(), row["Voucher"]


def _vendor_line(line: Row) -> Origin:
    key = f"{line['dataAreaId']}/{line['HeaderReference']}/{line['InvoiceLineNumber']}"
    return "VendorInvoiceLines", key.lower()


@pytest.fixture(scope="module")
def books(told: Told) -> Books:
    return Books(told.world)


def comes_from(world: World, vouchers: Collection[Voucher]) -> dict[Voucher, set[Origin]]:
    """Walk back from the documents of many vouchers together, along the links of `trace voucher`."""

    async def walked() -> dict[Voucher, set[Origin]]:
        with world.engine() as engine:
            async with engine.systems() as systems:
                links = provenance(engine.maps.values())
                reader = Reader(systems, links, systems.lookups())
                numbers = [(number,) for _, number in sorted(vouchers)]
                documents = [
                    record
                    for entity, column in KINDS["voucher"].documents
                    if column == "Voucher" and entity is not ENTRY
                    for record in await reader.read(entity, (column,), numbers)
                ]
                way = await walk(documents, links, Towards.ORIGIN, reader.read, Bound(5000, WIDE.depth))
                assert not way.more
                assert not reader.unread
                return {
                    _voucher(each.columns): {(end.entity.name, end.identity) for end in way.ends_of(each)}
                    for each in documents
                }

    return asyncio.run(walked())


def traced(world: World, what: str, key: str) -> Trace:
    with world.engine() as engine:
        found = trace(engine, what, key)
    assert isinstance(found, Trace), found
    return found


def test_every_voucher_leads_back_to_what_was_entered(told: Told, books: Books) -> None:
    assert books.vouchers == set(books.origins)
    kinds = {entity for origins in books.origins.values() for entity, _ in origins}
    assert kinds == {
        "msdyn_timeentry",
        "msdyn_contractlinescheduleofvalue",
        "ExpenseReportLines",
        "VendorInvoiceLines",
    }
    assert comes_from(told.world, books.vouchers) == books.origins


@pytest.mark.parametrize("series", ["CIV", "EV", "PRV", "VIV"])
def test_a_document_s_voucher_leads_back_in_one_call(told: Told, books: Books, series: str) -> None:
    voucher = next(each for each in sorted(books.vouchers, reverse=True) if f"-{series}-" in each[1])
    found = traced(told.world, "voucher", voucher[1])
    assert {(each.entity.name, each.identity) for each in found.comes_from} == books.origins[voucher]
    entries = {each.record.identity for each in found.outcomes.found if each.record.entity is ENTRY}
    assert entries == {
        f"{voucher[0]}/{voucher[1]}/{row['LineNumber']}".lower()
        for row in told.world.finance_rows("GeneralJournalAccountEntries", f"Voucher eq '{voucher[1]}'")
    }


def test_a_voucher_is_traced_in_one_call_to_both_sides_its_batches_and_its_values(told: Told) -> None:
    [cost] = [row for row in told.actuals(192350000, 192350000) if row["msdyn_amount"] == 800]
    found = traced(told.world, "voucher", cost["msdyn_vouchernumber"])
    assert [(each.entity.label, each.columns["msdyn_description"]) for each in found.comes_from] == [
        ("time entry", cost["msdyn_description"])
    ]
    row = found.row
    assert row is not None
    assert row.map == "actuals"
    assert row.sides[System.DATAVERSE].id == cost["msdyn_actualid"]
    assert row.sides[System.FINANCE].values["VoucherNumber"] == cost["msdyn_vouchernumber"]
    assert all(leg.hash_then == leg.hash_now and not leg.remapped for leg in row.legs)
    ours = {
        each["id"]: each for each in told.world.sql("select * from batch where map = 'actuals' order by id")
    }
    for leg in row.legs:
        assert leg.moved is not None
        assert ours[leg.moved.batch]["leg"] == leg.direction.value
        assert ours[leg.moved.batch]["run_id"] == leg.moved.run_id
        assert all(each.equal for each in leg.fields)
        assert all(each.passed is not False for each in leg.checks)
    forth = {leg.direction: leg for leg in row.legs}[Direction.DATAVERSE_TO_FINANCE]
    kind = next(each for each in forth.fields if each.target == "TransactionType")
    assert (kind.value, [each.after for each in kind.changes]) == (192350000, ["Cost", "Cost", "Cost"])
    became = {each.record.entity.label for each in found.outcomes.found}
    assert {
        "connection",
        "ledger entry",
        "project transaction",
        "invoice proposal line",
        "customer invoice",
    } <= became
    around = {each.record.entity.label for walk in found.around for each in walk.found}
    assert {"project", "project task", "contract line"} <= around


def test_a_number_of_several_things_is_asked_about_and_one_of_none_is_told(told: Told) -> None:
    [sold] = told.world.finance_rows(
        "ProjectCustomerInvoices", "IsIntercompany eq Microsoft.Dynamics.DataEntities.NoYes'Yes'"
    )
    with told.world.engine() as engine:
        found = trace(engine, "any", sold["InvoiceId"])
    assert isinstance(found, Candidates)
    assert {each[:2] for each in found.found} >= {
        ("invoice", f"gbpm/{sold['InvoiceId']}"),
        ("vendor-invoice", f"uspm/{sold['InvoiceId']}"),
    }


def test_a_row_is_found_by_its_key_however_it_is_written_and_by_what_the_state_remembers(told: Told) -> None:
    number, project = told.engagement.project_number, told.engagement.project
    key = f'["{number.lower()}","uspm"]'
    forms = (number, f"{number}/USPM", f"uspm,{number.lower()}", f"USPM/{number}", project, key)
    with told.world.engine() as engine:
        found = {asyncio.run(keys_of(engine, form)) for form in forms}
        with engine.state.begin() as connection:
            crosswalk.put(
                connection, "projects", 1, [Entry('["gone","uspm"]', hash_dataverse_to_finance="h")]
            )
    assert found == {(key,)}
    row = traced(told.world, "projects", "gone").row
    assert row is not None
    assert (row.key, dict(row.sides), row.legs[0].takes) == ('["gone","uspm"]', {}, None)
    with pytest.raises(StopError, match="Nothing bears projects uspm"):
        traced(told.world, "projects", "uspm")


async def keys_of(engine: Engine, text: str) -> tuple[str, ...]:
    async with engine.systems() as systems:
        reader = Reader(systems, provenance(engine.maps.values()), systems.lookups())
        return tuple(await Finder(engine, reader).of_map(engine.map("projects"), text))


def test_a_row_that_changed_since_shows_what_it_was_made_of_and_what_the_target_holds(told: Told) -> None:
    world, project = told.world, told.engagement.project
    before = world.dataverse_row("msdyn_projects", f"msdyn_projectid eq {project}")["msdyn_subject"]
    world.change("msdyn_projects", project, msdyn_subject="Renamed")
    try:
        row = traced(world, "projects", told.engagement.project_number).row
    finally:
        world.change("msdyn_projects", project, msdyn_subject=before)
    assert row is not None
    [leg] = row.legs
    assert leg.hash_then != leg.hash_now
    different = {each.target: (each.value, each.made, each.held) for each in leg.fields if not each.equal}
    assert different == {"ProjectName": ("Renamed", "Renamed", before)}


def test_an_entity_set_that_an_environment_lacks_is_told_of_and_the_rest_is_traced(told: Told) -> None:
    told.world.faults({"system": "finance", "entity": "ExpenseReportLines", "in_batch": True, "status": 404})
    try:
        found = traced(told.world, "expense", f"EXP-{told.engagement.serial}-1")
    finally:
        told.world.no_faults()
    assert [each.entity.label for each in found.comes_from] == ["exported expense"]
    assert [each.partition(" could")[0] for each in found.unread] == ["ExpenseReportLines"]


def test_the_command_hides_values_and_notes_who_saw_them(
    told: Told, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for system, address in (
        ("dataverse", told.world.sandbox.dataverse),
        ("finance", told.world.sandbox.finance),
    ):
        connection = {"conn_type": system, "host": address, "extra": {"token": TOKEN}}
        monkeypatch.setenv(f"AIRFLOW_CONN_{system.upper()}_DEFAULT", json.dumps(connection))
    monkeypatch.setenv("PROJOPS_STATE_URL", told.world.settings.state_url)
    monkeypatch.setenv("PROJOPS_STAGING", told.world.settings.staging)
    monkeypatch.setenv("PROJOPS_ACTOR", "anna")

    def run(*arguments: str) -> tuple[Any, str]:
        monkeypatch.setattr("sys.argv", ["projops", "trace", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, capsys.readouterr().out

    number = told.engagement.project_number
    [subject] = {
        row["msdyn_subject"]
        for row in told.world.dataverse_rows("msdyn_projects", f"msdyn_projectnumber eq '{number}'")
    }
    for arguments in ((number,), (number, "--json")):
        code, out = run("projects", *arguments)
        assert not code
        assert number in out
        assert subject not in out
    assert told.world.sql("select * from audit where action = 'reveal'") == []
    code, out = run("projects", number, "--values", "--json")
    document = json.loads(out)
    assert document["row"]["sides"]["dataverse"]["values"]["msdyn_subject"] == subject
    [noted] = told.world.sql("select * from audit where action = 'reveal'")
    assert (noted["actor"], noted["subject"]) == ("anna", f"trace of projects {number}")
