"""Causes found from reconciliations: drift, books that do not hold, and that none has run."""

from collections.abc import Iterator

from projops.alerts.facts import Facts
from projops.alerts.found_failures import in_scope
from projops.alerts.model import Alert, Kind, Rule, Severity


def drift(facts: Facts, rule: Rule) -> Iterator[Alert]:
    """Find maps of which the latest whole comparison found more drift than the rule tolerates."""
    by_map: dict[str, list[tuple[int, int, str]]] = {}
    for proof in facts.proofs:
        if proof.drift:
            facts_of = (proof.reconciliation, proof.drift, proof.leg.leg)
            by_map.setdefault(proof.leg.map, []).append(facts_of)
    for map_id, legs in sorted(by_map.items()):
        number = sum(rows for _, rows, _ in legs)
        area = facts.areas.get(map_id)
        # What has been turned off is not compared again: its drift would never be over.
        if area is None or number < rule.count or not in_scope(rule, map_id, area):
            continue
        which = max(reconciliation for reconciliation, _, _ in legs)
        told = " and ".join(f"{rows} rows of {leg}" for _, rows, leg in legs)
        yield Alert(
            cause=f"drift:{map_id}",
            kind=Kind.DRIFT,
            severity=Severity.WARNING,
            title=f"{map_id}: both sides differ",
            happened=f"Reconciliation {which} found {told} of {map_id} that differ for no known reason.",
            meaning="Somebody has changed columns on the side that does not own them, or a row is missing.",
            remedy="Page Reconciliation names each row and column. Repair it there, which sends the rows "
            f"through the ordinary stages again; or `projops reconcile {map_id} --repair`.",
            page=f"reconciliations/{which}",
            map=map_id,
            leg=legs[0][2] if len(legs) == 1 else None,
            count=number,
        )


def books(facts: Facts, rule: Rule) -> Iterator[Alert]:
    """Find what must hold of the books and does not, by the latest reconciliation of everything."""
    if facts.proof is None:
        return
    for broken in facts.books:
        company = f" of {broken.company}" if broken.company else ""
        yield Alert(
            cause=f"books:{broken.name}:{broken.company}",
            kind=Kind.BOOKS,
            severity=Severity.CRITICAL,
            title=f"Books{company}: {broken.name.replace('_', ' ')} does not hold",
            happened=f"Reconciliation {facts.proof.id} found {broken.count} of it. {broken.message}",
            meaning="The accounts of the two systems do not agree; a month must not be closed like this.",
            remedy="Page Reconciliation names each thing and what to do; mend it in Finance, then reconcile "
            "again there, or by `projops reconcile`.",
            page=f"reconciliations/{facts.proof.id}",
            count=broken.count,
        )


def unproved(facts: Facts, rule: Rule) -> Iterator[Alert]:
    """Find that no reconciliation of everything has run for longer than the rule's time.

    One that never ran is not missed: whoever has not begun to reconcile is not told of it each day.
    """
    if facts.proof is None or facts.now - facts.proof.started_at <= rule.within:
        return
    hours = f"{rule.within.total_seconds() / 3600:.3g}"
    yield Alert(
        cause="unproved",
        kind=Kind.UNPROVED,
        severity=Severity.WARNING,
        title="Both sides have not been reconciled for long",
        happened=f"The latest reconciliation of everything began at {facts.proof.started_at:%Y-%m-%d %H:%M} "
        f"UTC, more than {hours} hours ago.",
        meaning="Nobody knows whether both sides are equal; drift would go unseen.",
        remedy="See in Airflow whether the DAG nightly_reconciliation is paused or fails; run it from page "
        "Reconciliation, or by `projops reconcile`.",
        page="reconciliations",
    )
