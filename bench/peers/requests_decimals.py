"""Peers that read with requests get floats, which lose digits: this lets them read decimals instead."""

import json
from decimal import Decimal
from typing import Any

import requests


def read_decimals() -> None:
    """Let every answer of requests read its JSON with decimals, from here on, in this process."""

    def exactly(answer: requests.Response, **_options: Any) -> Any:
        return json.loads(answer.content, parse_float=Decimal)

    requests.Response.json = exactly  # type: ignore[method-assign, assignment]
