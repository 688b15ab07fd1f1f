"""Journals: what submitted work will post, and entry journals that people post themselves (R301, R309)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sandbox.dataverse.desk import Desk, refused
from sandbox.dataverse.rules.actuals import ACTUAL, Row, completed, origin, record_many
from sandbox.dataverse.rules.drafts import draft
from sandbox.rules.hooks import Change, Verb, effect, guard

if TYPE_CHECKING:
    from sandbox.dataverse.rules.work import Work

JOURNAL = "msdyn_journal"
LINE = "msdyn_journalline"


def journal_work(desk: Desk, work: "Work", entry: Mapping[str, Any]) -> None:
    """Write down a submitted time entry as journal lines: cost and unbilled sales, no actuals yet (R301)."""
    description = entry["msdyn_description"]
    journal = desk.create(JOURNAL, {"msdyn_description": description, "msdyn_defaultproject": work.project})
    source = {"msdyn_journal": journal, "msdyn_timeentry": entry["msdyn_timeentryid"]}
    plan = draft(desk, work)
    columns = desk.writer.entities.by_name[LINE].table.columns
    lines = [
        {name: value for name, value in values.items() if name in columns} | source
        for values in completed(desk, (plan.cost, *plan.unbilled))
    ]
    desk.create_many(LINE, lines)


def open_lines(desk: Desk, entry_id: str) -> list[Row]:
    """Return the journal lines of a time entry that are not posted yet."""
    return desk.find(LINE, msdyn_timeentry=entry_id, msdyn_isposted=False)


def withdraw(desk: Desk, entry_id: str) -> None:
    """Delete what a time entry would post: it is recalled or returned."""
    for line in open_lines(desk, entry_id):
        desk.delete(LINE, line["msdyn_journallineid"])


def close(desk: Desk, lines: Sequence[Mapping[str, Any]]) -> None:
    """Mark lines and their journals as posted, their actuals being recorded already."""
    for line in lines:
        desk.update(LINE, line["msdyn_journallineid"], {"msdyn_isposted": True})
    for journal in {line["msdyn_journal"] for line in lines}:
        desk.update(JOURNAL, journal, {"msdyn_isposted": True})


def post(desk: Desk, change: Change) -> None:
    """Record the open lines of an entry journal as actuals: the way to create them by hand (R309).

    A line without a project belongs to no company, hence to no actual; it says so.

    Raises:
        ApiError: When a line has no project.
    """
    if not change.turned("msdyn_isposted", True):
        return
    lines = _lines(desk, change.after["msdyn_journalid"])
    for line, actual in zip(lines, record_many(desk, [_actual(desk, line) for line in lines]), strict=True):
        origin(desk, actual, LINE, line["msdyn_journallineid"])
        desk.update(LINE, line["msdyn_journallineid"], {"msdyn_isposted": True})


def refuse_unapproved(desk: Desk, change: Change) -> None:
    """What submitted time will post is posted by its approval, else it would be recorded twice (R301).

    Raises:
        ApiError: When a person posts such a journal.
    """
    posting = change.turned("msdyn_isposted", True)
    if posting and any(it["msdyn_timeentry"] for it in _lines(desk, change.before["msdyn_journalid"])):
        raise refused("The journal is of a submitted time entry: approve the time entry, which posts it.")


def refuse_late_line(desk: Desk, change: Change) -> None:
    """A line that comes to a posted journal would never become an actual; imported history is posted itself.

    Raises:
        ApiError: When the journal is posted and the line is not.
    """
    for journal in desk.by_id(JOURNAL, [change.values.get("msdyn_journal")]).values():
        if journal["msdyn_isposted"] and not change.values.get("msdyn_isposted"):
            raise refused("The journal is posted and takes no more lines: record them in a new journal.")


def refuse_posted(_desk: Desk, change: Change) -> None:
    """What is posted stays as it is.

    Raises:
        ApiError: When a posted journal or line is changed or deleted.
    """
    if change.before["msdyn_isposted"]:
        raise refused("The journal is posted and cannot be changed: correct its actuals in a new journal.")


def _lines(desk: Desk, journal_id: str) -> list[Row]:
    return desk.find(LINE, msdyn_journal=journal_id, msdyn_isposted=False)


def _actual(desk: Desk, line: Mapping[str, Any]) -> Row:
    if line["msdyn_project"] is None:
        raise refused(f"Journal line '{line['msdyn_description']}' has no project: choose one, then post.")
    project = desk.get("msdyn_project", line["msdyn_project"])
    columns = desk.writer.entities.by_name[ACTUAL].table.columns
    copied = {name: line[name] for name in columns if name.startswith("msdyn_") and name in line}
    return {
        **copied,
        "transactioncurrencyid": line["transactioncurrencyid"] or project["transactioncurrencyid"],
        "msdyn_owningcompany": project["msdyn_owningcompany"],
        "msdyn_resourcingcompany": project["msdyn_owningcompany"],
    }


HOOKS = (
    guard(JOURNAL, [Verb.UPDATE, Verb.DELETE], refuse_posted),
    guard(LINE, [Verb.UPDATE, Verb.DELETE], refuse_posted),
    guard(LINE, [Verb.CREATE], refuse_late_line),
    guard(JOURNAL, [Verb.UPDATE], refuse_unapproved, ["msdyn_isposted"]),
    effect(JOURNAL, [Verb.UPDATE], post, ["msdyn_isposted"]),
)
