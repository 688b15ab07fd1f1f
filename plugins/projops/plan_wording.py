"""A plan in words: a line of numbers for each leg, and what else there is to say of it."""

from typing import Any

from projops.load.decide import Kind
from projops.pausing import described
from projops.plan import LegPlan
from projops.state.dead_letters import AWAITING


def summary(plan: LegPlan) -> dict[str, Any]:
    """Give the numbers of a plan under names that stay: what `plan --json` prints first."""
    counts = plan.counts
    deletes = plan.actions.get(Kind.DELETE, 0) + plan.actions.get(Kind.DEACTIVATE, 0)
    awaiting = sum(each.status == AWAITING for each in plan.aside)
    return {
        "map": plan.leg.map,
        "leg": plan.leg.leg,
        "why": plan.why or "nothing to move",
        "read": counts.read,
        "unchanged": counts.unchanged,
        "create": plan.actions.get(Kind.CREATE, 0),
        "update": plan.actions.get(Kind.UPDATE, 0),
        "delete": deletes,
        "parked": counts.parked - awaiting,
        "rejected": counts.rejected,
        "refused": counts.failed,
        "conflicts": plan.conflicts,
        "await_approval": awaiting,
    }


def remarks(plan: LegPlan) -> list[str]:
    """Say what the numbers do not: a pause, a stop, another mapping, columns, that all was read."""
    lines = []
    if plan.pause is not None:
        lines.append(f"{described(plan.pause)}; this is what comes once it is resumed.")
    if plan.stops is not None:
        lines.append(f"the leg would stop before anything is written. {plan.stops}")
    if plan.version_before is not None and plan.why is not None and _mapping_changed(plan):
        lines.append(_of_the_mapping(plan))
    if plan.columns:
        named = ", ".join(f"{name} in {count}" for name, count in sorted(plan.columns.items()))
        lines.append(f"columns that would change, by rows: {named}.")
    if plan.in_full and plan.why is not None:
        lines.append("all rows were read: an export of the changes would have moved Finance's mark.")
    return lines


def _mapping_changed(plan: LegPlan) -> bool:
    return plan.difference is not None or plan.version != plan.version_before


def _of_the_mapping(plan: LegPlan) -> str:
    """Say what has changed in the mapping, and what has to be sent again for it."""
    named = {} if plan.difference is None else plan.difference.by_name()
    what = "; ".join(f"{how} {', '.join(names)}" for how, names in named.items() if names)
    sent = plan.actions.get(Kind.CREATE, 0) + plan.actions.get(Kind.UPDATE, 0)
    versions = f"the mapping has changed from version {plan.version_before} to {plan.version}"
    return f"{versions}{f' ({what})' if what else ''}; {sent} rows must be sent again."
