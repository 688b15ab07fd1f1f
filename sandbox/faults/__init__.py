"""Faults on demand: rules that stand in the way of matching requests."""

from sandbox.faults.board import FaultBoard
from sandbox.faults.connection import CuttableProtocol
from sandbox.faults.inside import BatchFaults
from sandbox.faults.layer import FaultLayer
from sandbox.faults.rules import FaultRule, FaultRuleError, read_rules

__all__ = [
    "BatchFaults",
    "CuttableProtocol",
    "FaultBoard",
    "FaultLayer",
    "FaultRule",
    "FaultRuleError",
    "read_rules",
]
