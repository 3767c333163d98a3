"""The ledger: one interface and its drivers."""

from dispatcher.ledger.interface import Entry, Fenced, InUse, Kept, Ledger, LedgerError, Owner
from dispatcher.ledger.memory import MemoryLedger
from dispatcher.ledger.sqlite import SqliteLedger

__all__ = ["Entry", "Fenced", "InUse", "Kept", "Ledger", "LedgerError", "MemoryLedger", "Owner", "SqliteLedger"]
