"""Reports in, orders out: the pure core.

Stage 1 (`Intake`) turns records into work and knows the grid; stage 2 (`Engine`) merges, routes and tracks and knows
the policy. Both are functions of what they are given: no clock, no randomness, no input or output.
"""

from dispatcher.core.engine import Engine, EngineFault, Outcome, Poison
from dispatcher.core.incident import NEVER_MS, Incident
from dispatcher.core.instants import DAY_MS, datetime_to_ms, ms_to_text, text_to_ms
from dispatcher.core.intake import CLOCK, CONTROL, REPORTS, UPDATES, Intake, Taken
from dispatcher.core.lifecycle import ENDED_STATES, OPEN_STATES, AssignmentState, IncidentState
from dispatcher.core.locate import Asset, Placer
from dispatcher.core.messages import Action, Actor, Reason, Report, Update
from dispatcher.core.publish import APPEND_TOPICS, COMPACTED_TOPICS
from dispatcher.core.records import IncidentRecord, decode_incident
from dispatcher.core.rulebook import SEMANTICS, Rulebook
from dispatcher.core.state import PartitionState
from dispatcher.core.work import Position, Record, Rejected, Work

__all__ = [
    "APPEND_TOPICS",
    "CLOCK",
    "COMPACTED_TOPICS",
    "CONTROL",
    "DAY_MS",
    "ENDED_STATES",
    "NEVER_MS",
    "OPEN_STATES",
    "REPORTS",
    "SEMANTICS",
    "UPDATES",
    "Action",
    "Actor",
    "Asset",
    "AssignmentState",
    "Engine",
    "EngineFault",
    "Incident",
    "IncidentRecord",
    "IncidentState",
    "Intake",
    "Outcome",
    "PartitionState",
    "Placer",
    "Poison",
    "Position",
    "Reason",
    "Record",
    "Rejected",
    "Report",
    "Rulebook",
    "Taken",
    "Update",
    "Work",
    "datetime_to_ms",
    "decode_incident",
    "ms_to_text",
    "text_to_ms",
]
