"""What a step of a ladder does: urge, notify, supervise, report; and to whom.

`lead` stands for whoever owes the target: the lead for its own, a support for its. A level's cell answers through the
department that has offices there (`units: from_grid`), else through the register, by `cell:<code>`. Where the place has
no such level the city answers. Supervising and reporting move the incident up: the wider level holds it from then on.
"""

from dispatcher.core.incident import Assignment, Target, party
from dispatcher.core.mover import Mover
from dispatcher.core.supervising import REPLY_WITHIN_MS, SUPERVISIONS_MAX, open_supervision
from rules import Recipient
from rules import Step as LadderStep

__all__ = ["CITY", "climb"]

CITY = "city"


def climb(mover: Mover, target: Target, step: LadderStep) -> None:
    """Take one step of the ladder for a target."""
    incident = mover.incident
    owing = incident.part_of(target.of)
    if owing is None and incident.lead is not None:  # recalled, and nobody named since
        owing = incident.part_of(incident.lead.party)
    to, level = _recipient(mover, owing, step.to)
    mover.change.entry("escalated", do=step.do, to=to, target=target.name, of=target.of, rung=target.rung)
    mover.change.queue = "urgency"
    if step.do == "urge":
        incident.tally().urged += 1
        if owing is not None and owing.party == to:
            mover.change.order(owing, "urge")
        mover.change.notice(to, "urge", target=target.name)
        return
    if step.do != "notify" and level is not None:
        incident.level = min(incident.level, level)
    if step.do == "supervise" and owing is not None and len(incident.supervision) < SUPERVISIONS_MAX:
        ladder = mover.book.policy.ladder(incident.decided.ladder or "")
        within = ladder.acknowledge_timeout
        due_ms = mover.now_ms + REPLY_WITHIN_MS
        if within is not None:
            due_ms = mover.book.policy.open(within, mover.now_ms).due_ms
        open_supervision(mover, owing, to, due_ms)
    elif step.do != "notify":
        incident.tally().escalated += 1
    mover.change.notice(to, step.do, target=target.name)


def _recipient(mover: Mover, owing: Assignment | None, to: Recipient) -> tuple[str, int | None]:
    """Who it is, and the level it sits at (None: no level of the grid)."""
    incident = mover.incident
    if to.kind == "lead":
        return (CITY, 0) if owing is None else (owing.party, None)
    if to.kind == "department":
        return to.department or CITY, None
    level = {"up": incident.level - to.level, "level": to.level, "city": 0}[to.kind]
    path = incident.place.path
    if level <= 0 or level > len(path):
        return CITY, 0
    return _unit_of(mover, level, path[level - 1]), level


def _unit_of(mover: Mover, level: int, cell: str) -> str:
    policy = mover.book.policy
    name = policy.grid_levels[level - 1] if level <= len(policy.grid_levels) else None
    for department in policy.departments.values():
        if department.units == "from_grid" and department.level == name:
            return party(department.code, cell)
    return f"cell:{cell}"
