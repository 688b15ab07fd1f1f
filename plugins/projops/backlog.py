"""What the sources of legs have for us: one look at all their delta links, noted for people to see."""

from collections.abc import Iterable
from dataclasses import dataclass

from projops.engine import Engine
from projops.errors import ProjOpsError
from projops.extract.source import Watermark
from projops.mapping.model import System
from projops.mapping.paths import table_of
from projops.run import LegRef
from projops.state import looks
from projops.state.batches import leg_state, renew_watermark
from projops.systems.columns import entity_set
from projops.systems.dataverse import Dataverse
from projops.systems.looking import EXPIRED, Look, Pending, look


@dataclass(frozen=True, slots=True)
class _Looked:
    ref: LegRef
    watermark: Watermark
    at: Look


async def look_at(
    engine: Engine, dataverse: Dataverse, refs: Iterable[LegRef]
) -> dict[LegRef, Pending | ProjOpsError]:
    """Ask for changes since the watermarks of legs that track changes, and note what there is: their backlog.

    Of a table at rest the younger link is kept, since tokens expire.

    Args:
        engine: The engine.
        dataverse: Open session.
        refs: Legs; those that have never been read are left out.

    Returns:
        What there is, by leg; or why that leg's source cannot be asked.

    Raises:
        ProjOpsError: What concerns all of them: access, throttling, no answer.
    """
    looked = _looked(engine, refs)
    if not looked:
        return {}
    answers = await look(dataverse, [each.at for each in looked])
    found = {each.ref: answer for each, answer in zip(looked, answers, strict=True)}
    _note(engine, looked, found)
    return found


def _looked(engine: Engine, refs: Iterable[LegRef]) -> list[_Looked]:
    found = []
    with engine.state.reading() as connection:
        for ref in refs:
            text = leg_state(connection, ref.map, ref.leg).watermark
            if text is not None:
                watermark = Watermark.of(text)
                table = entity_set(table_of(engine.maps[ref.map], System.DATAVERSE))
                found.append(_Looked(ref, watermark, Look(table, watermark.facts["delta_link"])))
    return found


def _note(engine: Engine, looked: Iterable[_Looked], found: dict[LegRef, Pending | ProjOpsError]) -> None:
    with engine.state.begin() as connection:
        for each in looked:
            ref, pending, before = each.ref, found[each.ref], each.watermark
            if isinstance(pending, ProjOpsError) or pending is EXPIRED:
                continue
            looks.record(connection, ref.map, ref.leg, pending.changes, pending.more)
            if pending.delta_link is not None:
                younger = Watermark({**before.facts, "delta_link": pending.delta_link})
                renew_watermark(connection, ref.map, ref.leg, before.text(), younger.text())
