"""Serves pages that were made before: the part of Dataverse that reading one table needs, over TLS.

    python -m bench.peers.server FOLDER 10000 100000

makes the pages of as many rows as the largest number says, and a server for each number on a port of its
own. One line of JSON tells when it is ready: where each answers, and what the decimals of its rows add
up to. It only copies bytes, so that a client with a core of its own never waits for it.
"""

import asyncio
import json
import ssl
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from bench.peers import rows
from sandbox.certificate import ensure_certificate

_API = "/api/data/v9.2"
_JSON = "application/json; odata.metadata=minimal"
_ORGANIZATION = {"OrganizationId": "00000000-0000-0000-0000-0000000000f1"}
_ENTITY = {
    "LogicalName": rows.ENTITY,
    "EntitySetName": rows.ENTITY_SET,
    "PrimaryIdAttribute": rows.PRIMARY_ID,
}
_PARENT = {"@odata.etag": 'W/"1"', "cdm_companyid": rows.COMPANY_ID, "cdm_companycode": rows.COMPANY}


@dataclass(frozen=True, slots=True)
class Table:
    """A table of so many rows.

    Attributes:
        folder: Where its pages are, `<number>.json`.
        pages: How many it has.
    """

    folder: Path
    pages: int

    def app(self) -> web.Application:
        """Give what answers for it."""
        app = web.Application(client_max_size=2**24)
        app.router.add_get(f"{_API}/{rows.ENTITY_SET}", self.read)
        app.router.add_get(f"{_API}/EntityDefinitions", _entity)
        app.router.add_get(f"{_API}/WhoAmI", _who)
        app.router.add_post(f"{_API}/$batch", _companies)
        return app

    async def read(self, request: web.Request) -> web.Response:
        """Answer with a page; with change tracking the last one carries a delta link."""
        number = int(request.query.get("$skiptoken", "0"))
        here = f"{request.scheme}://{request.host}{_API}/{rows.ENTITY_SET}"
        tracked = "odata.track-changes" in request.headers.get("Prefer", "")
        link = b""
        if number + 1 < self.pages:
            link = f',"@odata.nextLink":"{here}?$skiptoken={number + 1}"'.encode()
        elif tracked:
            link = f',"@odata.deltaLink":"{here}?$deltatoken=1%2f1"'.encode()
        head = f'{{"@odata.context":"{here}","value":['.encode()
        content = (self.folder / f"{number}.json").read_bytes()
        return web.Response(body=b"".join((head, content, b"]", link, b"}")), headers={"Content-Type": _JSON})


async def _who(_request: web.Request) -> web.Response:
    return web.json_response(_ORGANIZATION)


async def _entity(_request: web.Request) -> web.Response:
    return web.json_response({"value": [_ENTITY]})


async def _companies(_request: web.Request) -> web.Response:
    """Answer the one lookup that the map has: of the one company."""
    lines = (
        "--answer",
        "Content-Type: application/http",
        "Content-Transfer-Encoding: binary",
        "",
        "HTTP/1.1 200 OK",
        f"Content-Type: {_JSON}",
        "",
        json.dumps({"value": [_PARENT]}),
        "--answer--",
        "",
    )
    kind = {"Content-Type": "multipart/mixed; boundary=answer"}
    return web.Response(body="\r\n".join(lines).encode(), headers=kind)


def write_pages(folder: Path, sizes: Sequence[int]) -> dict[int, dict[str, str]]:
    """Write the pages of the largest size, which those of the others are the first of.

    Returns:
        What the decimals of each size add up to, by column.

    Raises:
        ValueError: A size is no multiple of the rows of a page.
    """
    if odd := [size for size in sizes if size <= 0 or size % rows.PAGE]:
        raise ValueError(f"Rows come in pages of {rows.PAGE}, of which {odd} are no multiples.")
    sums: Counter[str] = Counter()
    found: dict[int, dict[str, str]] = {}
    for first in range(0, max(sizes), rows.PAGE):
        last = first + rows.PAGE
        (folder / f"{first // rows.PAGE}.json").write_bytes(rows.page(first, last, sums))
        if last in sizes:
            found[last] = {name: str(total) for name, total in rows.exact_sums(sums).items()}
    return found


async def serve(folder: Path, sizes: Sequence[int]) -> None:
    """Serve until the process is ended."""
    sums = write_pages(folder, sizes)
    certificate, key = ensure_certificate(folder)
    secured = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secured.load_cert_chain(certificate, key)
    ready: dict[str, object] = {"ca_file": str(certificate), "sums": sums, "urls": {}}
    urls: dict[int, str] = {}
    for size in sizes:
        runner = web.AppRunner(Table(folder, size // rows.PAGE).app(), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=secured).start()
        urls[size] = f"https://127.0.0.1:{runner.addresses[0][1]}"
    sys.stdout.write(json.dumps(ready | {"urls": urls}) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), [int(each) for each in sys.argv[2:]]))
