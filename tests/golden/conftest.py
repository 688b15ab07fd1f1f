"""`pytest tests/golden --refresh-golden` writes expected.json anew (`make golden`)."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--refresh-golden", action="store_true", help="write expected.json anew")
