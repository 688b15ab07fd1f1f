"""Time entries from draft to approval and back."""

from decimal import Decimal
from typing import Any

import pytest

from sandbox.dataverse.desk import Desk
from sandbox.dataverse.errors import ApiError
from sandbox.dataverse.rules.options import EntryStatus, TimeEntryType, TransactionType
from sandbox.dataverse.rules.time import TIME_ENTRY
from sandbox.dataverse.rules.time_jobs import submit_time
from tests.unit.sandbox.conftest import as_user
from tests.unit.sandbox.dataverse.rules.conftest import DAY, Firm

STATUS = "msdyn_entrystatus"


def lines_of(desk: Desk, entry: str) -> list[dict[str, Any]]:
    return desk.find("msdyn_journalline", msdyn_timeentry=entry)


def test_r301_submitted_time_has_journal_lines_and_no_actuals(desk: Desk, firm: Firm) -> None:
    entry = firm.time_entry(firm.project("P1", firm.contract("C1")))
    as_user(desk, TIME_ENTRY, entry, {STATUS: EntryStatus.SUBMITTED})
    told = [
        (
            line["msdyn_transactiontypecode"],
            line["msdyn_quantity"],
            line["msdyn_amount"],
            line["msdyn_documentdate"],
        )
        for line in lines_of(desk, entry)
    ]
    assert told == [
        (TransactionType.COST, Decimal(8), Decimal(800), DAY),
        (TransactionType.UNBILLED_SALES, Decimal(8), Decimal(1600), DAY),
    ]
    assert desk.find("msdyn_actual") == []
    assert not any(line["msdyn_isposted"] for line in lines_of(desk, entry))


def test_r301_the_job_submits_all_drafts_at_the_prices_that_it_is_given(desk: Desk, firm: Firm) -> None:
    project = firm.project("P1", firm.contract("C1"))
    entries = [firm.time_entry(project), firm.time_entry(project, minutes=20)]
    undated = firm.time_entry(project, msdyn_date=None, msdyn_description="When?")
    report = submit_time(desk, {"cost_price": "12.5", "sales_price": 30})
    assert report["submitted"] == 2
    assert report["errors"] == ["Time entry 'When?' has no msdyn_date: fill it in, then submit it."]
    assert [desk.get(TIME_ENTRY, it)[STATUS] for it in (*entries, undated)] == [
        EntryStatus.SUBMITTED,
        EntryStatus.SUBMITTED,
        EntryStatus.DRAFT,
    ]
    assert [line["msdyn_amount"] for entry in entries for line in lines_of(desk, entry)] == [
        Decimal(100),
        Decimal(240),
        Decimal("4.17"),
        Decimal("10.00"),
    ]
    assert submit_time(desk, {"entries": []}) == {"submitted": 0, "errors": []}


def test_time_that_is_taken_back_before_approval_leaves_nothing(desk: Desk, firm: Firm) -> None:
    entry = firm.time_entry(firm.project("P1", firm.contract("C1")))
    for back in (EntryStatus.RETURNED, EntryStatus.DRAFT):
        as_user(desk, TIME_ENTRY, entry, {STATUS: EntryStatus.SUBMITTED})
        as_user(desk, TIME_ENTRY, entry, {STATUS: back})
        assert lines_of(desk, entry) == []


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (EntryStatus.DRAFT, EntryStatus.APPROVED, "is Draft and cannot become Approved"),
        (EntryStatus.APPROVED, EntryStatus.SUBMITTED, "is Approved and cannot become Submitted"),
        (EntryStatus.SUBMITTED, None, "is Submitted and cannot become none"),
    ],
)
def test_a_status_that_does_not_follow_is_refused(
    desk: Desk, firm: Firm, before: EntryStatus, after: EntryStatus | None, sentence: str
) -> None:
    entry = firm.time_entry(firm.project("P1"), msdyn_entrystatus=before)
    with pytest.raises(ApiError, match=f"Time entry 'Design' {sentence}") as refusal:
        as_user(desk, TIME_ENTRY, entry, {STATUS: after})
    assert (refusal.value.status, refusal.value.code) == (400, "0x80040265")


def test_only_drafts_are_created_changed_and_deleted(desk: Desk, firm: Firm) -> None:
    project = firm.project("P1", firm.contract("C1"))
    draft = as_user(desk, TIME_ENTRY, None, {"msdyn_project": project, "msdyn_date": DAY})
    assert desk.get(TIME_ENTRY, draft)[STATUS] == EntryStatus.DRAFT
    as_user(desk, TIME_ENTRY, draft, {"msdyn_duration": 60})
    as_user(desk, TIME_ENTRY, draft, {STATUS: EntryStatus.SUBMITTED})
    with pytest.raises(ApiError, match="is no draft: recall it, then change it"):
        as_user(desk, TIME_ENTRY, draft, {"msdyn_duration": 90})
    as_user(desk, TIME_ENTRY, draft, {"msdyn_externaldescription": "for the customer"})
    entity = desk.writer.entities.by_name[TIME_ENTRY]
    with pytest.raises(ApiError, match="recall it, then delete it"):
        desk.writer.delete(desk.unit, entity, draft)
    with pytest.raises(ApiError, match="created as Draft"):
        as_user(desk, TIME_ENTRY, None, {STATUS: EntryStatus.APPROVED})
    as_user(desk, TIME_ENTRY, draft, {STATUS: EntryStatus.DRAFT})
    desk.writer.delete(desk.unit, entity, draft)
    assert desk.find(TIME_ENTRY) == []


def test_absence_and_time_on_no_project_have_no_journal(desk: Desk, firm: Firm) -> None:
    project = firm.project("P1", firm.contract("C1"))
    absent = firm.time_entry(project, msdyn_type=TimeEntryType.ABSENCE)
    idle = firm.time_entry(project, msdyn_project=None)
    assert submit_time(desk, {})["submitted"] == 2
    assert lines_of(desk, absent) + lines_of(desk, idle) == []
