"""A report that nobody has sent, taken through the real engine on an empty partition: nothing is recorded.

So nothing is a repeat and there is nothing to merge with; everything else is as it would be.
"""

import orjson
from msgspec import Struct
from msgspec.structs import replace

from dispatcher.core import (
    REPORTS,
    Engine,
    IncidentRecord,
    Intake,
    PartitionState,
    Position,
    Record,
    Rulebook,
    decode_incident,
)
from dispatcher.core.work import Rejected
from rules import Policy

__all__ = ["Refusal", "in_mode", "what_if"]


class Refusal(Struct, frozen=True):
    """The report would be rejected: by stage 1 (what it says and where) or by stage 2 (what the policy knows)."""

    stage: int
    reason: str
    detail: str


def in_mode(policy: Policy, mode: str) -> Policy:
    """The same policy, with the same identity, where this mode is the ordinary one: the one new reports are decided in.

    Raises:
        ValueError: the policy has no such mode.
    """
    if mode not in policy.modes:
        raise ValueError(mode)
    modes = (mode, *(other for other in policy.modes if other != mode))
    document = replace(policy.document, header=replace(policy.document.header, modes=modes))
    return Policy(document, policy.canonical, policy.warnings, policy.places)


def what_if(
    policy: Policy, intake: Intake, grid: str, report: bytes, at_ms: int
) -> Refusal | tuple[IncidentRecord, list[bytes]]:
    """What would become of a report received at an instant: its incident with its `events`, or why there is none."""
    state = PartitionState(0, {policy.sha256: Rulebook(policy)})
    state.policy_sha = policy.sha256
    (work,) = intake.take([Record(0, REPORTS, 0, 0, at_ms, None, report)]).work
    if isinstance(work, Rejected):
        return Refusal(1, work.reason, work.detail)
    outcome = Engine(state, Position(), grid).process([work])
    for topic, _, _, value in outcome.records:
        if topic == "rejected":
            return _refusal(value)
    (incident,) = [
        value for (topic, _), value in outcome.compacted.items() if topic == "incidents" and value is not None
    ]
    return decode_incident(incident), [value for topic, _, _, value in outcome.records if topic == "events"]


def _refusal(value: bytes) -> Refusal:
    rejected = orjson.loads(value)
    return Refusal(2, rejected["reason"], rejected["detail"])
