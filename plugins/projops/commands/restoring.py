"""`projops restore`: heal a state database that was put back from a backup."""

from typing import Annotated

import typer

from projops.commands.output import AsJson, actor, fail, open_engine, print_json
from projops.commands.progress import progress_shown
from projops.restore import Restored
from projops.restore import restore as restore_state

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
_QUESTION = "Was this state database put back from a backup? The next runs read and compare more than usual"
_SHOWN = 20


def restore(yes: Yes = False, as_json: AsJson = False) -> None:
    """Heal a state database that was put back from a backup: run it once, before anything else runs."""
    if not yes and not typer.confirm(_QUESTION):
        fail("Nothing was changed.")
    with open_engine() as engine, progress_shown(as_json) as say:
        say("Comparing the keys of both sides")
        done = restore_state(engine, actor())
    if as_json:
        print_json(_as_json(done))
        return
    for line in _report(done):
        typer.echo(line)


def _report(done: Restored) -> list[str]:
    kept = done.forgotten
    lines = [
        f"{kept.pairs} pairs of rows are compared with the target when they are read next; "
        "only what differs is written.",
        f"{len(kept.legs)} legs go on from the backup's delta links: all changes since come again.",
        f"{len(kept.legs_in_full)} legs are read in full once: what they stood at is Finance's to know, "
        "and it has moved on.",
        f"{kept.letters} rows that were set aside are tried again; {kept.batches} unfinished batches "
        "are given up.",
    ]
    for leg, keys in done.strays.items():
        more = f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""
        lines.append(
            f"{leg}: {len(keys)} rows at the target that the source does not have await approval: "
            f"{', '.join(keys[:_SHOWN])}{more}."
        )
    if done.paused:
        lines.append(f"Paused since before the backup: {', '.join(done.paused)}.")
    lines.append(
        "What people decided after the backup (dismissals, approvals, pauses) is not known any more. "
        "Now let the DAGs run, or `projops sync` the maps in their order."
    )
    return lines


def _as_json(done: Restored) -> dict[str, object]:
    kept = done.forgotten
    return {
        "pairs": kept.pairs,
        "batches": kept.batches,
        "letters": kept.letters,
        "from_watermark": [f"{map_id}__{leg}" for map_id, leg in kept.legs],
        "in_full": [f"{map_id}__{leg}" for map_id, leg in kept.legs_in_full],
        "await_approval": done.strays,
        "paused": done.paused,
    }
