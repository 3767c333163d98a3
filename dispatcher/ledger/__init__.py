"""The ledger: one interface and its drivers."""

from dispatcher.ledger.crashes import Crashes, Died
from dispatcher.ledger.interface import EmbeddedLedger, Entry, Fenced, InUse, Kept, Ledger, LedgerError, Owner
from dispatcher.ledger.memory import MemoryLedger
from dispatcher.ledger.sqlite import SqliteLedger

__all__ = [
    "Crashes",
    "Died",
    "EmbeddedLedger",
    "Entry",
    "Fenced",
    "InUse",
    "Kept",
    "Ledger",
    "LedgerError",
    "MemoryLedger",
    "Owner",
    "SqliteLedger",
]
