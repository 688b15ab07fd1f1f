"""The engine of the pages: opened once a process, its maps read again when a mapping file has changed."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Lock

from projops.engine import Engine
from projops.mapping.reader import load_maps
from projops.orchestration.connections import airflow_connection, airflow_settings
from projops.settings import Settings

_Signature = tuple[tuple[str, int, int], ...]
_lock = Lock()
_kept: dict[Settings, tuple[_Signature, Engine]] = {}


def kept_engine() -> Engine:
    """Give the engine on Airflow's connections, for a request.

    Raises:
        ConfigurationError: A setting is wrong, or the state database cannot be opened.
    """
    settings = airflow_settings()
    signature = tuple(_files(settings.mappings))
    with _lock:
        known = _kept.get(settings)
        if known is None:
            _forget()
            opened = Engine.open(settings, airflow_connection)
        elif known[0] == signature:
            return known[1]
        else:
            opened = replace(known[1], loaded=load_maps(settings.mappings))
        _kept[settings] = (signature, opened)
        return opened


def forget() -> None:
    """Close what is kept, as at the end of a process."""
    with _lock:
        _forget()


def _forget() -> None:
    for _, engine in _kept.values():
        engine.state.close()
    _kept.clear()


def _files(folder: Path) -> Iterator[tuple[str, int, int]]:
    for path in sorted(folder.glob("*/*.yaml")):
        facts = path.stat()
        yield str(path), facts.st_mtime_ns, facts.st_size
