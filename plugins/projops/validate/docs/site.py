"""Where Data Docs stand: `docs/<map>/<leg>/<batch>/` in the staging area, with an index of each leg.

    docs/index.html                                   all legs
    docs/<map>/<leg>/index.html                       the batches of a leg
    docs/<map>/<leg>/<batch>/index.html               one batch, for people
    docs/<map>/<leg>/<batch>/validation.json          one batch, as Great Expectations has it
    docs/<map>/<leg>/<batch>/summary.json             one batch in a line, for the index

A page is written in one step, so that a reader never sees half of one.
"""

from __future__ import annotations

from projops.staging import Staging
from projops.validate.counts import Tally
from projops.validate.docs.pages import batch_page, leg_page, site_page
from projops.validate.docs.places import DOCS, INDEX, leg_folder
from projops.validate.docs.results import validation_result
from projops.validate.docs.summary import Summary

_SUMMARY = "summary.json"


def publish(staging: Staging, summary: Summary, tally: Tally, keep: int) -> None:
    """Write the pages of a batch, in place of what it had, and bring the indexes up to date.

    Args:
        staging: Where they stand.
        summary: What came of the batch in a line.
        tally: What came of each expectation.
        keep: Batches of the leg whose pages are kept; older ones go. 0 keeps all.
    """
    leg = leg_folder(summary.map, summary.leg)
    folder = f"{leg}/{summary.batch}"
    staging.publish(f"{folder}/validation.json", validation_result(summary, tally))
    staging.publish(f"{folder}/{INDEX}", batch_page(summary, tally).encode())
    staging.publish(f"{folder}/{_SUMMARY}", summary.as_json())
    names = staging.names(leg)
    batches = sorted((int(name) for name in names if name.isdecimal()), reverse=True)
    for old in batches[keep:] if keep else ():
        staging.remove(f"{staging.root}/{leg}/{old}")
    kept = [f"{leg}/{batch}/{_SUMMARY}" for batch in (batches[:keep] if keep else batches)]
    summaries = [Summary.of_json(content) for content in staging.published(kept).values()]
    if summaries:  # none where older batches than all that are kept run again
        staging.publish(f"{leg}/{INDEX}", leg_page(summaries).encode())
    if INDEX not in names:
        _publish_site(staging)


def _publish_site(staging: Staging) -> None:
    """Write the first page anew, which changes only when a leg gets its first page."""
    legs = [
        (map_id, leg)
        for map_id in staging.names(DOCS)
        if map_id != INDEX
        for leg in staging.names(f"{DOCS}/{map_id}")
    ]
    staging.publish(f"{DOCS}/{INDEX}", site_page(legs).encode())
