"""Filling a database once, and filling it anew on demand."""

from collections.abc import Callable, Mapping

from sandbox.data.demo import seed_demo
from sandbox.data.empty import seed_empty
from sandbox.data.environment import ensure_environment
from sandbox.store import Store

_SEEDS: Mapping[str, Callable[[Store], None]] = {"demo": seed_demo, "empty": seed_empty}


class SeedRefusedError(ValueError):
    """A seed that does not exist, or that does not fit what the database already holds."""


def ensure_seeded(store: Store, name: str) -> None:
    """Fill a new database; leave one that this seed filled before as it is now.

    Raises:
        SeedRefusedError: When the seed is unknown, or another one filled the database.
    """
    known = store.seed_name()
    if known is not None and known != name:
        raise SeedRefusedError(
            f"This database was filled with the seed {known}, not {name}: "
            f"start with --seed {known}, name another --database, or reset it through the control plane."
        )
    if known is None:
        # Rows without the mark are what a seeding left that was cut short.
        reseed(store, name)
    ensure_environment(store)


def reseed(store: Store, name: str) -> None:
    """Empty both systems and fill them with a seed.

    Raises:
        SeedRefusedError: When the seed is unknown; then nothing is emptied.
    """
    filler = _filler(name)
    store.clear()
    ensure_environment(store)
    filler(store)
    store.mark_seeded(name)


def _filler(name: str) -> Callable[[Store], None]:
    filler = _SEEDS.get(name)
    if filler is None:
        raise SeedRefusedError(f"There is no seed named {name}. Known seeds: {', '.join(sorted(_SEEDS))}.")
    return filler
