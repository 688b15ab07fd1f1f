"""Time entries: what may become of them, and the work that they tell of (R301)."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.dataverse.desk import Desk, refused
from sandbox.dataverse.rules.journals import journal_work, open_lines, withdraw
from sandbox.dataverse.rules.options import EntryStatus, TimeEntryType, TransactionClass
from sandbox.dataverse.rules.work import Work
from sandbox.rules.hooks import Change, Verb, complete, effect, guard

TIME_ENTRY = "msdyn_timeentry"
STATUS = "msdyn_entrystatus"

Row = Mapping[str, Any]

_MINUTES = Decimal(60)
_HOURS = Decimal("0.0001")
_HOUR = "hr"  # msdyn_symbol of the unit that time is counted in
_NEXT = {
    EntryStatus.DRAFT: {EntryStatus.SUBMITTED},
    EntryStatus.RETURNED: {EntryStatus.DRAFT, EntryStatus.SUBMITTED},
    EntryStatus.SUBMITTED: {EntryStatus.DRAFT, EntryStatus.RETURNED, EntryStatus.APPROVED},
    EntryStatus.APPROVED: {EntryStatus.DRAFT, EntryStatus.RETURNED, EntryStatus.RECALL_REQUESTED},
    EntryStatus.RECALL_REQUESTED: {EntryStatus.DRAFT, EntryStatus.APPROVED},
}
_EDITABLE = frozenset({EntryStatus.DRAFT, EntryStatus.RETURNED})
_FACTS = (
    "msdyn_bookableresource",
    "msdyn_date",
    "msdyn_duration",
    "msdyn_project",
    "msdyn_projecttask",
    "msdyn_resourcecategory",
    "msdyn_resourceorganizationalunitid",
    "msdyn_transactioncategory",
    "msdyn_type",
)


def work_of(desk: Desk, entry: Row) -> Work | None:
    """Return the work that a time entry tells of; None for absence and for time on no project.

    The resource's unit and company lend it (R502); the role's category is that of the entry unless it
    has its own. Hours have four digits after the point, as actuals carry them to Finance.
    """
    if entry["msdyn_project"] is None or entry["msdyn_type"] not in {None, TimeEntryType.WORK}:
        return None
    resource = _row(desk, "bookableresource", entry["msdyn_bookableresource"])
    role = _row(desk, "bookableresourcecategory", entry["msdyn_resourcecategory"])
    hour = desk.first("uom", msdyn_symbol=_HOUR)
    return Work(
        project=entry["msdyn_project"],
        classification=TransactionClass.TIME,
        quantity=(Decimal(entry["msdyn_duration"]) / _MINUTES).quantize(_HOURS, ROUND_HALF_UP),
        date=entry["msdyn_date"],
        task=entry["msdyn_projecttask"],
        role=entry["msdyn_resourcecategory"],
        resource=entry["msdyn_bookableresource"],
        category=entry["msdyn_transactioncategory"] or role.get("msdyn_transactioncategory"),
        unit=hour["uomid"] if hour is not None else None,
        resourcing_unit=(
            entry["msdyn_resourceorganizationalunitid"] or resource.get("msdyn_organizationalunit")
        ),
        resourcing_company=resource.get("msdyn_owningcompany"),
        description=entry["msdyn_description"],
        external_description=entry["msdyn_externaldescription"],
        subcontract_line=entry["msdyn_subcontractline"],
        origin=(TIME_ENTRY, entry["msdyn_timeentryid"]),
    )


def submit(desk: Desk, entry: Row, **prices: Any) -> None:
    """Submit a time entry: journal lines of its cost and unbilled sales, no actuals yet (R301).

    Args:
        desk: Dataverse.
        entry: The stored row.
        prices: `cost_price` or `sales_price` of an hour, instead of that of the price lists.

    Raises:
        ApiError: When the entry cannot be submitted as it is.
    """
    demand_step(entry, EntryStatus.SUBMITTED)
    _journal(desk, entry, **prices)
    desk.update(TIME_ENTRY, entry["msdyn_timeentryid"], {STATUS: EntryStatus.SUBMITTED})


def demand_step(entry: Row, status: int | None) -> None:
    """Make sure that a time entry may get a status.

    Raises:
        ApiError: When the status does not follow on the one that it has, or facts are missing.
    """
    before = EntryStatus(entry[STATUS] or EntryStatus.DRAFT)
    if status is None or status not in {before, *_NEXT[before]}:
        wanted = "none" if status is None else EntryStatus(status).name.capitalize()
        raise refused(f"{named(entry)} is {before.name.capitalize()} and cannot become {wanted}.")
    missing = [name for name in ("msdyn_date", "msdyn_duration") if entry[name] is None]
    if status == EntryStatus.SUBMITTED and missing:
        raise refused(f"{named(entry)} has no {missing[0]}: fill it in, then submit it.")


def named(entry: Row) -> str:
    """Return what messages call a time entry."""
    return f"Time entry '{entry['msdyn_description'] or entry['msdyn_timeentryid']}'"


def refuse_new(_desk: Desk, change: Change) -> None:
    """A time entry begins as a draft.

    Raises:
        ApiError: When one is created with another status.
    """
    if change.values.get(STATUS, EntryStatus.DRAFT) not in {None, EntryStatus.DRAFT}:
        raise refused("A time entry is created as Draft: create it, then submit it.")


def refuse_change(_desk: Desk, change: Change) -> None:
    """What is submitted or approved stays as it is until it is recalled or returned.

    Raises:
        ApiError: When facts of such an entry are changed, or its status takes a step that it may not.
    """
    before = change.before[STATUS]
    if STATUS in change.values:
        demand_step({**change.after, STATUS: before}, change.values[STATUS])
    if before is not None and before not in _EDITABLE and _differs(change):
        raise refused(f"{named(change.before)} is no draft: recall it, then change it.")


def refuse_deletion(_desk: Desk, change: Change) -> None:
    """Only drafts and returned entries can be deleted.

    Raises:
        ApiError: When the entry is submitted or approved.
    """
    if change.before[STATUS] is not None and change.before[STATUS] not in _EDITABLE:
        raise refused(f"{named(change.before)} is no draft: recall it, then delete it.")


def begin(_desk: Desk, change: Change) -> Row:
    """A new entry is a draft."""
    return {} if change.values.get(STATUS) is not None else {STATUS: EntryStatus.DRAFT}


def follow(desk: Desk, change: Change) -> None:
    """Write the journal lines of what a person submits; delete those of what is taken back unapproved."""
    entry = change.after
    if change.turned(STATUS, EntryStatus.SUBMITTED):
        _journal(desk, entry)
    elif change.before[STATUS] == EntryStatus.SUBMITTED and entry[STATUS] in _EDITABLE:
        withdraw(desk, entry["msdyn_timeentryid"])


def _journal(desk: Desk, entry: Row, **prices: Any) -> None:
    """Write the journal lines of a time entry, unless they stand already."""
    work = work_of(desk, entry)
    if work is not None and not open_lines(desk, entry["msdyn_timeentryid"]):
        journal_work(desk, replace(work, **prices), entry)


def _differs(change: Change) -> bool:
    return any(name in change.values and change.values[name] != change.before[name] for name in _FACTS)


def _row(desk: Desk, table: str, row_id: str | None) -> Row:
    return desk.get(table, row_id) if row_id is not None else {}


HOOKS = (
    guard(TIME_ENTRY, [Verb.CREATE], refuse_new),
    guard(TIME_ENTRY, [Verb.UPDATE], refuse_change),
    guard(TIME_ENTRY, [Verb.DELETE], refuse_deletion),
    complete(TIME_ENTRY, [Verb.CREATE], begin),
    effect(TIME_ENTRY, [Verb.UPDATE], follow, [STATUS]),
)
