"""Public alerts in CAP 1.2: read, and turned into the proposal of a mode that a shift lead may confirm."""

from dispatcher.alerts.cap import Alert, AlertError, AlertProblem, Info, Reference, Severity, read_cap
from dispatcher.alerts.propose import Ending, Nothing, Proposal, proposal_id, propose

__all__ = [
    "Alert",
    "AlertError",
    "AlertProblem",
    "Ending",
    "Info",
    "Nothing",
    "Proposal",
    "Reference",
    "Severity",
    "proposal_id",
    "propose",
    "read_cap",
]
