"""A stack whose two systems tell of changes: set up from outside, as an administrator would."""

from collections.abc import Mapping, Sequence
from contextlib import closing

import httpx

from runner.layout import new_token
from runner.stack import Stack
from runner.wire import Wire

_WEBHOOK = 8
_KEY = 4  # the secret is the option `code` of the address
_MESSAGES = ("Create", "Update", "Delete")


def signal_all(stack: Stack, tables: Sequence[str], sets: Sequence[str]) -> None:
    """Register webhooks of Dataverse and events of Finance, all of them to Airflow's endpoint.

    Args:
        stack: What runs.
        tables: Logical names of Dataverse tables.
        sets: Entity sets of Finance.
    """
    address = f"{stack.airflow.address}/projops-signals"
    secret = stack.layout.kept("signals-secret", new_token())
    with closing(Wire.sign_in(stack.sandbox)) as wire:
        hook = wire.create_dataverse("serviceendpoints", _webhook(f"{address}/dataverse", secret))
        for table in tables:
            for message in _MESSAGES:
                wire.create_dataverse("sdkmessageprocessingsteps", _step(wire, hook, table, message))
    endpoint = {
        "name": "projops",
        "url": f"{address}/finance?code={secret}",
        "data_events": {name: _MESSAGES for name in sets},
    }
    place = f"{stack.sandbox.control}/sandbox/events/endpoints"
    httpx.put(place, json=[endpoint], timeout=30, trust_env=False).raise_for_status()


def _webhook(url: str, secret: str) -> Mapping[str, object]:
    return {"name": "projops", "url": url, "contract": _WEBHOOK, "authtype": _KEY, "authvalue": secret}


def _step(wire: Wire, hook: str, table: str, message: str) -> Mapping[str, object]:
    """An asynchronous step after the write, which costs the writer nothing."""
    where = f"sdkmessageid/name eq '{message}' and primaryobjecttypecode eq '{table}'"
    [found] = wire.dataverse_rows("sdkmessagefilters", where)
    return {
        "name": f"projops {message} of {table}",
        "mode": 1,
        "stage": 40,
        "asyncautodelete": True,
        "eventhandler_serviceendpoint@odata.bind": f"serviceendpoints({hook})",
        "sdkmessageid@odata.bind": f"sdkmessages({found['_sdkmessageid_value']})",
        "sdkmessagefilterid@odata.bind": f"sdkmessagefilters({found['sdkmessagefilterid']})",
    }
