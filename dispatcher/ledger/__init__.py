"""The ledger: one interface and its drivers."""

from dispatcher.ledger.crashes import Crashes, Died
from dispatcher.ledger.interface import (
    EmbeddedLedger,
    Entry,
    Fenced,
    InDoubt,
    InUse,
    Kept,
    Ledger,
    LedgerError,
    NoTopic,
    Offset,
    Owner,
)
from dispatcher.ledger.memory import MemoryLedger
from dispatcher.ledger.sqlite import SqliteLedger

__all__ = [
    "Crashes",
    "Died",
    "EmbeddedLedger",
    "Entry",
    "Fenced",
    "InDoubt",
    "InUse",
    "Kept",
    "Ledger",
    "LedgerError",
    "MemoryLedger",
    "NoTopic",
    "Offset",
    "Owner",
    "SqliteLedger",
]
