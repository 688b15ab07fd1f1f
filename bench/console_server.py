"""The console as a process of its own: the real application under uvicorn, behind Airflow's own sign-in.

`python -m bench.console_server` prints a line of JSON when it is ready: its address, its pages, and a token
of somebody who may see and do everything. Each answer says what it cost, in two headers.
"""

import json
import socket
import sys
import time
from dataclasses import asdict

import uvicorn
from airflow import models
from airflow.api_fastapi.app import create_auth_manager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.models.dag import DagModel
from airflow.settings import engine as airflow_engine
from sqlalchemy import event
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bench.console_pages import pages_of
from bench.console_state import Size, known
from projops.console.app import app
from projops.console.kept_engine import kept_engine

STATEMENTS, CPU = "x-statements", "x-cpu-milliseconds"
ROOT = "/projops"


class Costed:
    """Tells of each answer how many statements went to the state, and what processor time all of it took.

    One request is served at a time: what several would cost is not told apart.
    """

    def __init__(self, inner: ASGIApp) -> None:
        self._inner = inner
        self._statements = 0
        event.listen(kept_engine().state.engine, "before_cursor_execute", self._count)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and price it."""
        self._statements, began = 0, time.process_time()

        async def priced(message: Message) -> None:
            if message["type"] == "http.response.start":
                spent = 1000 * (time.process_time() - began)
                message["headers"] = [
                    *message["headers"],
                    (STATEMENTS.encode(), str(self._statements).encode()),
                    (CPU.encode(), f"{spent:.1f}".encode()),
                ]
            await send(message)

        await self._inner(scope, receive, priced)

    def _count(self, *_arguments: object) -> None:
        self._statements += 1


def main() -> None:
    """Serve until the process is ended."""
    models.import_all_models()  # type: ignore[no-untyped-call]
    DagModel.metadata.create_all(airflow_engine)
    token = create_auth_manager().generate_jwt(SimpleAuthManagerUser(username="the bench", role="admin"))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # what is asked before uvicorn accepts it waits
        address = f"http://127.0.0.1:{listener.getsockname()[1]}{ROOT}"
        server = uvicorn.Server(
            uvicorn.Config(Costed(Starlette(routes=[Mount(ROOT, app)])), log_level="warning")
        )
        pages = [asdict(page) for page in pages_of(app, known(kept_engine().maps, Size()))]
        sys.stdout.write(json.dumps({"address": address, "token": token, "pages": pages}) + "\n")
        sys.stdout.flush()
        server.run(sockets=[listener])


if __name__ == "__main__":
    main()
