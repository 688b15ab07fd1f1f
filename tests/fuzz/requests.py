"""From right requests to hostile ones, the same for the same seed."""

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

from tests.fuzz.hostile import HEADERS, HOSTILE, JSON_VALUES
from tests.fuzz.shapes import SHAPES, VALID, Shape

_PLACE = re.compile(r"\{(text|number|integer|flag|instant|guid|name|text_column|any)\}")
_JSON_PLACE = re.compile(r"<(text|number|integer|flag|instant|guid|name|text_column|any)>")
_BARE = frozenset({"number", "integer", "flag"})  # which JSON writes without quotes
_SHOWN = 400
# Few odd values get past the first check, many meet each check.
_HOSTILITIES = (0.05, 0.2, 0.6)
_METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS", "MERGE", "TRACE")
_ODD_ADDRESS = re.compile(r"[^!-~]|[<>\"{}|\\^`#]")


@dataclass(frozen=True)
class Request:
    """One request as it is sent.

    Attributes:
        system: `dataverse` or `finance`.
        method: HTTP method.
        url: Path and query, of printable ASCII.
        headers: Beside those that every client sends.
        body: The body.
    """

    system: str
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes

    def __str__(self) -> str:
        headers = " ".join(f"{name}={value[:60]!r}" for name, value in self.headers.items())
        return f"{self.system} {self.method} {self.url[:_SHOWN]} [{headers}] {self.body[:_SHOWN]!r}"


def hostile_requests(seed: int) -> Iterator[Request]:
    """Make requests without end.

    Args:
        seed: Which ones.
    """
    chance = random.Random(seed)
    while True:
        hostility = chance.choice(_HOSTILITIES)
        request = _filled(chance.choice(SHAPES), _Values(chance, hostility))
        for mutate, share in _MUTATIONS.items():
            if chance.random() < share * hostility:
                request = mutate(request, chance)
        yield replace(request, url=_sendable(request.url))


@dataclass(frozen=True)
class _Values:
    """Chooses values for places: right ones, and as many hostile ones as it is told."""

    chance: random.Random
    hostility: float

    def text(self, place: re.Match[str]) -> str:
        hostile = self.chance.random() < self.hostility
        return self.chance.choice((HOSTILE if hostile else VALID)[place[1]])

    def encoded(self, place: re.Match[str]) -> str:
        return quote(self.text(place), safe="/$'(),@!")

    def json(self, place: re.Match[str]) -> str:
        if self.chance.random() < self.hostility / 2:
            return self.chance.choice(JSON_VALUES)
        if place[1] in _BARE and self.chance.random() < 1 - self.hostility:
            return self.chance.choice(VALID[place[1]])
        return json.dumps(self.text(place))


def _filled(shape: Shape, values: _Values) -> Request:
    body = _JSON_PLACE.sub(values.json, shape.body)
    headers = {"Content-Type": "application/json"} if body.startswith(("{", "[")) else {}
    if body.startswith("grant_type"):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return Request(
        shape.system,
        shape.method,
        _PLACE.sub(values.encoded, shape.url),
        headers | dict(shape.headers or {}),
        _PLACE.sub(values.text, body).encode("utf-8", "surrogatepass"),
    )


def _other_method(request: Request, chance: random.Random) -> Request:
    return replace(request, method=chance.choice(_METHODS))


def _odd_header(request: Request, chance: random.Random) -> Request:
    name = chance.choice(list(HEADERS))
    return replace(request, headers={**request.headers, name: chance.choice(HEADERS[name])})


def _broken_address(request: Request, chance: random.Random) -> Request:
    return replace(request, url=_broken(request.url, chance))


def _broken_body(request: Request, chance: random.Random) -> Request:
    text = _broken(request.body.decode("utf-8", "surrogateescape"), chance)
    return replace(request, body=text.encode("utf-8", "surrogateescape"))


def _broken(text: str, chance: random.Random) -> str:
    """Cut, double, or change a piece of a text somewhere."""
    if not text:
        return chance.choice(HOSTILE["any"])
    start = chance.randrange(len(text))
    end = min(len(text), start + chance.randrange(1, 12))
    match chance.randrange(5):
        case 0:
            return text[:start]
        case 1:
            return text[:start] + text[end:]
        case 2:
            return text[:end] + text[start:]
        case 3:
            return text[:start] + chance.choice("'\"()[]{};,/\\%$@:=&?#\x00\r\n \u00e9") + text[start:]
    return text[:start] + chance.choice(HOSTILE["any"]) + text[end:]


def _raw_bytes(request: Request, chance: random.Random) -> Request:
    start = chance.randrange(len(request.body) + 1)
    return replace(request, body=request.body[:start] + chance.randbytes(4) + request.body[start:])


def _repeated_options(request: Request, chance: random.Random) -> Request:
    address, mark, query = request.url.partition("?")
    again = chance.choice(query.split("&")) if mark else "$top=1"
    return replace(request, url=f"{address}?{query}&{again}" if mark else f"{address}?{again}")


_MUTATIONS: Mapping[Callable[[Request, random.Random], Request], float] = {
    _other_method: 0.2,
    _odd_header: 0.8,
    _broken_address: 0.4,
    _broken_body: 0.3,
    _raw_bytes: 0.1,
    _repeated_options: 0.2,
}


def _sendable(url: str) -> str:
    """Encode what no HTTP client could send in a request line; what is encoded already stays."""
    if not url.startswith("/"):
        url = f"/{url}"
    return _ODD_ADDRESS.sub(lambda odd: quote(odd[0].encode("utf-8", "surrogatepass")), url)
