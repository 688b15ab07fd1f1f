"""The fight: so many writers for so long, and what readers have at its end."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx

from tests.fire.reader import Reader
from tests.fire.writers import Writer

WRITERS = 8
_PAGES = (37, 1000)
_PATIENCE = httpx.Timeout(60)


@dataclass(frozen=True, slots=True)
class Fought:
    """How it went.

    Attributes:
        writes: Requests that took effect.
        readers: As they stand at the end.
        differences: Rows that a reader has otherwise than the table, by reader.
        left: Changes that came although the readers had all of them.
    """

    writes: int
    readers: tuple[Reader, ...]
    differences: tuple[str, ...]
    left: int

    def __str__(self) -> str:
        reads = ", ".join(
            f"{it.changes:,} changes in {it.rounds:,} delta links of {it.page} a page" for it in self.readers
        )
        rows = len(self.readers[0].copy)
        end = f"{len(self.differences)} rows differ" if self.differences else "every row is equal"
        return f"{self.writes:,} writes; read {reads}; {rows:,} rows at the end, {end}"


def fight(base: str, token: str, seconds: float, seed: int = 1, most: int = sys.maxsize) -> Fought:
    """Let eight writers and two readers at the accounts for so long, then compare.

    Args:
        base: The Web API's root, with a slash at its end.
        token: Bearer token.
        seconds: How long the writers write, at most.
        seed: Of their choices; when what meets what is up to the machine.
        most: After so many requests a writer has done.
    """
    headers = {"Authorization": f"Bearer {token}"}
    stop = threading.Event()
    clock = threading.Timer(seconds, stop.set)
    with httpx.Client(base_url=base, headers=headers, timeout=_PATIENCE) as client:
        readers = tuple(Reader(client, page) for page in _PAGES)
        with ThreadPoolExecutor(WRITERS + len(readers)) as pool:
            writers = [
                pool.submit(Writer(client, seed * 100 + place).run, stop, most) for place in range(WRITERS)
            ]
            following = [pool.submit(_follow, reader, stop) for reader in readers]
            clock.start()
            try:
                done = [it.result() for it in writers]
            finally:
                clock.cancel()
                stop.set()
            for it in following:
                it.result()
        for reader in readers:
            reader.advance()
        differences = tuple(line for reader in readers for line in reader.differences())
        return Fought(sum(done), readers, differences, sum(reader.advance() for reader in readers))


def _follow(reader: Reader, stop: threading.Event) -> None:
    while not stop.is_set():
        reader.advance()
