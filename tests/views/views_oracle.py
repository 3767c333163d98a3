"""The measures' definitions folded in plain Python over what was true at each moment, not over the newest records."""

from views_cases import ENDED, Life, Moment

from dispatcher.core import NEVER_MS
from dispatcher.views import EXCLUDED, TERMS, Cohort


class Oracle:
    """The same definitions, folded in plain Python over the moments of lives instead of their newest records."""

    def __init__(self, lives: list[Life], cohort: Cohort) -> None:
        self.lives, self.cohort = lives, cohort

    def terms(self, life: Life) -> tuple[dict[str, int], Moment] | None:
        as_of_ms, basis, from_ms, to_ms = self.cohort
        now = life.at(as_of_ms)
        if now is None:
            return None
        opened_ms, final = life.moments[0].at_ms, life.moments[-1]
        filed_ms = next((m.at_ms for m in life.moments if m.filed), None) if now.filed else None
        ended_ms = next((m.at_ms for m in life.moments if m.state in ENDED and m.at_ms <= as_of_ms), None)
        end = None
        if ended_ms is not None:
            end = now.state if now.filed or now.state != "closed" else "self_handled"
        deadline_ms = final.due_ms if now.filed else None
        anchor_ms = filed_ms if basis == "filed" else (deadline_ms or filed_ms)
        member = from_ms <= (anchor_ms or opened_ms) < to_ms
        done = now.done_ms is not None and now.done_known
        late = now.due_ms is not None and (
            now.breached or (now.due_ms <= as_of_ms and now.due_ms < min(ended_ms or NEVER_MS, now.done_ms or NEVER_MS))
        )
        case, regular, received = member and now.filed, end in (None, "closed"), from_ms <= opened_ms < to_ms
        need = case and deadline_ms is not None and ((regular and done) or late)
        terms = {
            "received": received,
            "received_closed": received and end == "closed",
            "unfiled": member and not now.filed and end is None,
            "filed": case,
            "open": case and end is None,
            "closed": case and end == "closed",
            "need_close": need,
            "need_close_closed": need and end == "closed",
            "closed_in_time": need and end == "closed" and not late,
            "done": case and regular and done,
            "done_in_time": need and regular and done and not late,
            "overdue_pending": case and end is None and late and not done,
            "held_now": False,
            "no_deadline": case and deadline_ms is None,
            "first_lead_kept": case and regular and now.first_lead == now.lead,
            "rework": now.reworks * case,
            "returned": now.returns * case,
            "extended": 0,
            "held": 0,
            **{outcome: member and end == outcome for outcome in EXCLUDED},
            "excluded_late": case and not regular and late,
        }
        return {name: int(value) for name, value in terms.items()}, now

    def fold(self, by: str | None) -> dict[str | None, dict[str, int]]:
        groups: dict[str | None, dict[str, int]] = {}
        for life in self.lives:
            found = self.terms(life)
            if found is None or not any(found[0].values()):
                continue
            terms, now = found
            record = life.record
            code = {
                None: None,
                "department": now.department,
                "area": record.place.path[0] if record.place.path else None,
                "category": record.category,
                "major": record.category.split(".")[0] if record.category else None,
                "source": record.facts.source,
            }[by]
            group = groups.setdefault(code, dict.fromkeys(TERMS, 0))
            for name, value in terms.items():
                group[name] += value
        return groups
