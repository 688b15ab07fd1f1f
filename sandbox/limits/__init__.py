"""Limits that protect the service: Dataverse's per user, Finance's by load (protocol 1.7, 2.1)."""

from sandbox.limits.layer import DataverseLimits, FinanceThrottling
from sandbox.limits.numbers import Limits, LimitsError, read_limits
from sandbox.limits.usage import LimitBoard

__all__ = ["DataverseLimits", "FinanceThrottling", "LimitBoard", "Limits", "LimitsError", "read_limits"]
