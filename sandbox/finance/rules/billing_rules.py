"""Billing rules: how a contract line is billed (R104)."""

from typing import Any

from sandbox.finance.books import Books
from sandbox.rules.hooks import Change, Row, Verb, effect

LINES = "ProjectContractLines"
RULES = "ProjectBillingRules"


def rule_type(line: Row) -> str:
    """Return the type of a contract line's billing rule.

    Time and material has a rule of that name, a fixed price one of milestones (R104), or of progress
    where the line's invoice schedule says so [INF].
    """
    if line["BillingMethod"] == "TimeAndMaterial":
        return "TimeAndMaterial"
    return "Progress" if line["InvoiceScheduleType"] == "Progress" else "Milestone"


def _keep(books: Books, change: Change) -> None:
    """Make the billing rule of a contract line, or let it follow the line (R104)."""
    line = change.after
    contract = books.first(
        "ProjectContractHeaders", dataAreaId=line["dataAreaId"], ProjectContractId=line["ProjectContractId"]
    )
    values = {
        "BillingRuleType": rule_type(line),
        "ProjectId": line["LineProjectId"],
        "Amount": line["LineAmount"],
        "CurrencyCode": "" if contract is None else contract["SalesCurrencyCode"],
    }
    known = books.first(RULES, **_key(line)) or _left_behind(books, change)
    if known is None:
        books.insert(RULES, _key(line) | values)
    else:
        books.update(RULES, known, values | {"ContractLineId": _key(line)["ContractLineId"]})
    if change.verb is Verb.UPDATE:
        _drop(books, change)


def _left_behind(books: Books, change: Change) -> Row | None:
    """Return the rule that goes along with a line to its new id; none where another line goes by the old."""
    if change.verb is Verb.CREATE or _is_in_use(books, change.before):
        return None
    return books.first(RULES, **_key(change.before))


def _drop(books: Books, change: Change) -> None:
    """Delete the rule of a line's former id once no line goes by it: two lines may have one id."""
    known = books.first(RULES, **_key(change.before))
    if known is not None and not _is_in_use(books, change.before):
        books.delete(RULES, known)


def _is_in_use(books: Books, before: Row) -> bool:
    """Say whether a line of the contract goes by the key that one had before."""
    contract = {name: before[name] for name in ("dataAreaId", "ProjectContractId")}
    return any(_key(line) == _key(before) for line in books.find(LINES, **contract))


def _key(line: Row) -> dict[str, Any]:
    """Return the key of a line's rule; a line without an id of its own goes by its place."""
    return {
        "dataAreaId": line["dataAreaId"],
        "ProjectContractId": line["ProjectContractId"],
        "ContractLineId": line["ContractLineId"] or str(line["LineSequenceNumber"]),
    }


HOOKS = (
    effect(LINES, (Verb.CREATE, Verb.UPDATE), _keep),
    effect(LINES, (Verb.DELETE,), _drop),
)
