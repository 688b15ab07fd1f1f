"""The system on the wire, whose answers a test writes itself, and time that it holds."""

from tests.unit.projops.systems.conftest import open_session, time, wire

__all__ = ["open_session", "time", "wire"]
