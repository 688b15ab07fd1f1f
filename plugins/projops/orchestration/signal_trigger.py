"""The trigger behind the assets of signals: one watch for all areas, each told of its own."""

from collections.abc import AsyncIterator, Hashable
from typing import Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent


class SignalTrigger(BaseEventTrigger):
    """Wakes an area whose signals nobody has taken.

    All areas share one watch (`projops.signals.watching`), which the triggerer opens once. An event carries
    the area's name and nothing of what has changed.

    Args:
        area: Area.
    """

    def __init__(self, area: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.area = area

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Give what it is made again from."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {"area": self.area}

    def shared_stream_key(self) -> Hashable:
        """Say that all areas share one watch."""
        return ("projops", "signals")

    @classmethod
    async def open_shared_stream(cls, kwargs: dict[str, Any]) -> AsyncIterator[frozenset[str]]:
        """Watch for ever; give the areas to wake."""
        del kwargs
        # Only the triggerer pays for the engine, and no DAG file.
        from projops.console.kept_engine import kept_engine
        from projops.orchestration.connections import signal_endpoint
        from projops.signals.watching import Watch, watched

        async for areas in watched(Watch(kept_engine, signal_endpoint)):
            yield areas

    async def filter_shared_stream(
        self, shared_stream: AsyncIterator[frozenset[str]]
    ) -> AsyncIterator[TriggerEvent]:
        """Give an event each time this area is among those to wake."""
        async for areas in shared_stream:
            if self.area in areas:
                yield TriggerEvent(self.area)  # type: ignore[no-untyped-call]

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Watch alone, where the triggerer shares nothing."""
        async for event in self.filter_shared_stream(self.open_shared_stream({})):
            yield event
