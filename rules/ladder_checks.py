"""Ladders that lead back to themselves, and steps that nobody will ever stand on."""

from rules.entries import Entry
from rules.ladders import parse_recipient, parse_trigger
from rules.model import Fallback, Sections
from rules.model_clocks import TARGET_OF, LadderEntry
from rules.phrases import Phrase, said
from rules.problems import Code
from rules.readers import Reading


def check_ladders(sections: Sections, fallback: Fallback | None, levels: int, reading: Reading) -> None:
    """Report cycles and unreachable steps; `levels` = how many the grid has (0 = unknown)."""
    ladders = {entry.name: entry for entry in sections.ladders}
    promised = _promised_targets(sections, fallback, ladders)
    for ladder in sections.ladders:
        if _leads_back(ladder, ladders):
            reading.problems.add(Code.LADDER_CYCLE, reading.place(ladder, "then"), name=ladder.name)
        seen: set[tuple[object, ...]] = set()
        for step in ladder.steps:
            same = (step.trigger, step.to, step.do, step.after)
            why = said("the same step stands above") if same in seen else _objection(step.trigger, step.to, levels)
            target = parse_trigger(step.trigger).target
            if why is None and ladder.name in promised and target not in promised[ladder.name]:
                why = said("no SLA used with this ladder has a target '{target}'", target=target)
            if why is not None:
                reading.problems.add(Code.UNREACHABLE_STEP, reading.place(step), why=why)
            seen.add(same)
            _refer(step.to, step, reading)


def _objection(trigger: str, to: str, levels: int) -> Phrase | None:
    target = parse_trigger(trigger).target
    if target not in TARGET_OF:
        return said("there is no target '{target}'", target=target)
    recipient = parse_recipient(to)
    if levels and recipient.level > levels - (recipient.kind == "up"):
        return said("the grid has {levels} levels", levels=levels)
    return None


def _refer(to: str, step: Entry, reading: Reading) -> None:
    department = parse_recipient(to).department
    if department is not None:
        reading.refs.append(("department", department, reading.place(step, "to")))


def _leads_back(ladder: LadderEntry, ladders: dict[str, LadderEntry]) -> bool:
    """Whether following `then` comes back to this very ladder (others on the way report themselves)."""
    at, passed = ladder.then, set[str]()
    while at in ladders and at not in passed:
        if at == ladder.name:
            return True
        passed.add(at)
        at = ladders[at].then
    return False


def _promised_targets(
    sections: Sections, fallback: Fallback | None, ladders: dict[str, LadderEntry]
) -> dict[str, set[str]]:
    """Per ladder in use: the targets that can run while it is climbed."""
    targets = {sla.name: {target.name for target in sla.targets} for sla in sections.sla}
    extra = {target.name for overlay in sections.overlays for target in overlay.targets}
    extra |= {"attend" for overlay in sections.overlays for support in overlay.support if support.attend}
    uses = [(route.ladder, route.sla) for route in sections.routes]
    if fallback is not None:
        uses.append((fallback.ladder, fallback.sla))
    promised: dict[str, set[str]] = {}
    for name, sla in uses:
        passed = set[str]()
        while name in ladders and name not in passed:
            # an SLA that could not be read may promise anything
            promised.setdefault(name, set()).update(targets.get(sla, set(TARGET_OF)) | extra)
            passed.add(name)
            name = ladders[name].then  # noqa: PLW2901
    return promised
