# ruff: noqa: S608 - the statements are our own words; values are bound
"""Every term of the measures as a sum over cases, in SQL, and the rates made of them; docs/measures.md has the words.

`SEEN` is a case as it was at `:as_of`: what came later has not happened. Its newest row answers for a case that has not
changed since; for the others the spells of its history do.
"""

from dispatcher.core import ENDED_STATES, NEVER_MS
from dispatcher.views.cohort import Basis, Cohort
from dispatcher.views.rows import OUTCOMES, outcome_of

__all__ = ["AGAIN", "CASE_TERMS", "EXCLUDED", "PART_TERMS", "RATES", "TERMS", "anchor", "exempted", "seen", "values"]

EXCLUDED = tuple(outcome for outcome in OUTCOMES if outcome != "closed")
_ENDS = ", ".join(f"'{outcome_of(state)}'" for state in sorted(ENDED_STATES))
_OF = "WHERE s.incident_id = i.incident_id AND s.at_ms <= :as_of"
_LAST = "ORDER BY s.revision DESC LIMIT 1"


def _state(case: str) -> str:
    """The state of a case (an end by its outcome) at :as_of."""
    return (
        f"CASE WHEN {case}.updated_ms <= :as_of THEN coalesce({case}.outcome, {case}.state) ELSE (SELECT s.state"
        f" FROM spell AS s WHERE s.incident_id = {case}.incident_id AND s.at_ms <= :as_of {_LAST}) END"
    )


def exempted(part: str) -> str:
    """That by :as_of an appeal was upheld for the party of a row in its case."""
    return (
        f"EXISTS (SELECT 1 FROM request AS e WHERE e.incident_id = {part}.incident_id AND e.kind = 'exempt'"
        f" AND e.state = 'approved' AND e.decided_ms <= :as_of AND e.party = {part}.party)"
    )


def _marked(mark: str) -> str:
    return f"(SELECT count(*) FROM spell AS s {_OF} AND s.mark = '{mark}')"


def _granted(kind: str) -> str:
    return (
        "CASE WHEN requests > 0 THEN (SELECT count(*) FROM request AS s WHERE s.incident_id = i.incident_id"
        f" AND s.kind = '{kind}' AND s.state = 'approved' AND s.decided_ms <= :as_of) ELSE 0 END"
    )


def _called(what: str) -> str:
    return f"CASE WHEN callbacks > 0 THEN (SELECT count(*) FROM callback AS s {_OF} AND s.{what}) ELSE 0 END"


_SEEN = f"""
WITH turned AS MATERIALIZED (
  SELECT i.*, {_state("i")} AS now_state,
    CASE WHEN leads > 1 THEN (SELECT max(n) FROM lead_turn AS t
      WHERE t.incident_id = i.incident_id AND t.offered_ms <= :as_of) END AS turn
  FROM incident AS i WHERE opened_ms <= :as_of {{narrow}}
), known AS MATERIALIZED (
  SELECT incident_id, opened_ms, path, category, source, cell, asset, now_state, contact_ms, contact_owed, attendances,
    promised_ms,
    CASE WHEN now_state IN ({_ENDS}) THEN now_state ELSE 'open' END AS standing,
    CASE WHEN now_state IN ({_ENDS}) THEN
      CASE WHEN updated_ms <= :as_of AND now_state NOT IN ('voided', 'not_accepted') THEN ended_ms
           ELSE (SELECT s.at_ms FROM spell AS s {_OF} AND s.state IN ({_ENDS}) AND s.mark IS NOT 'stay' {_LAST}) END
    END AS end_ms,
    coalesce(filed_ms <= :as_of, 0) AS is_filed,
    CASE WHEN filed_ms <= :as_of THEN due_ms END AS due_ms,
    CASE WHEN filed_ms <= :as_of THEN filed_ms END AS filed_ms,
    CASE WHEN turn IS NOT NULL
      THEN (SELECT t.department FROM lead_turn AS t WHERE t.incident_id = i.incident_id AND t.n = turn)
      WHEN filed_ms <= :as_of THEN lead END AS department,
    CASE WHEN turn IS NOT NULL
      THEN (SELECT t.party FROM lead_turn AS t WHERE t.incident_id = i.incident_id AND t.n = turn)
      WHEN filed_ms <= :as_of THEN party END AS party,
    CASE WHEN turn > 0 THEN (SELECT count(DISTINCT party) FROM lead_turn AS t
        WHERE t.incident_id = i.incident_id AND t.n IN (0, turn)) = 1
      ELSE 1 END AS lead_kept,
    done_ms,
    coalesce(done_ms <= :as_of, 0) OR now_state IN ('checking', 'closed') OR (now_state = 'reopen_requested' AND
      (SELECT s.state FROM spell AS s {_OF} AND s.state IN ({_ENDS}) {_LAST}) = 'closed') AS is_done,
    CASE WHEN former_clocks > 0 THEN coalesce((SELECT f.breached_ms FROM former_clock AS f
        WHERE f.incident_id = i.incident_id AND f.until_ms > :as_of ORDER BY f.until_ms LIMIT 1), breached_ms)
      ELSE breached_ms END AS breached_ms,
    CASE WHEN updated_ms <= :as_of THEN held ELSE now_state = 'on_hold' END AS is_held,
    CASE WHEN reworks > 0 THEN {_marked("rework")} ELSE 0 END AS reworked,
    CASE WHEN returns > 0 THEN {_marked("return")} ELSE 0 END AS returned,
    CASE WHEN returns > 0 THEN {_marked("upheld")} ELSE 0 END AS upheld,
    CASE WHEN returns > 0 THEN {_marked("refused")} ELSE 0 END AS refused,
    CASE WHEN reopened > 0 THEN {_marked("reopen")} ELSE 0 END AS reopened,
    {_granted("extension")} AS extensions,
    {_granted("hold")} AS holds,
    {_called("answered")} AS answered,
    {_called("resolved")} AS resolved,
    {_called("satisfied")} AS satisfied
  FROM turned AS i
), seen AS MATERIALIZED (
  SELECT *,
    opened_ms >= :from AND opened_ms < :to AND standing <> 'merged' AS is_received,
    coalesce({{anchor}}) >= :from AND coalesce({{anchor}}) < :to AS is_member,
    is_filed AND standing <> 'merged' AS counts,
    standing IN ('open', 'closed') AS is_regular,
    due_ms IS NOT NULL AND ((standing IN ('open', 'closed') AND is_done) OR is_late) AS needs_close
  FROM (SELECT *, coalesce(breached_ms <= :as_of, 0) OR (NOT is_held AND coalesce(due_ms <= :as_of
      AND due_ms < min(coalesce(end_ms, {NEVER_MS}), coalesce(done_ms, {NEVER_MS})), 0)) AS is_late FROM known) AS k
  {{adjusted}}
)
"""
_ANCHORS: dict[Basis, str] = {
    "received": "opened_ms, opened_ms",
    "filed": "filed_ms, opened_ms",
    "due": "due_ms, filed_ms, opened_ms",
}
_ADJUSTED = f"""
  WHERE NOT EXISTS (SELECT 1 FROM outage WHERE told_ms <= :as_of AND due_ms BETWEEN since_ms AND until_ms)
  AND NOT {exempted("k")}
"""

# Whether case y, of the category and at the place or asset of `seen`, says that `seen` was not settled.
AGAIN = f"""y.opened_ms BETWEEN seen.end_ms AND seen.end_ms + :came_back
  AND y.filed_ms <= min(:as_of, seen.end_ms + :came_back) AND y.incident_id <> seen.incident_id
  AND {_state("y")} <> 'merged'"""
_EXISTS = f"EXISTS (SELECT 1 FROM incident AS y WHERE y.category = seen.category AND {{where}} AND {AGAIN})"
_CAME_BACK = f"({_EXISTS.format(where='y.cell = seen.cell')} OR {_EXISTS.format(where='y.asset = seen.asset')})"

# Each term as a sum over cases. All but the received ones are over the members of the cohort.
_CASE = "is_member AND counts AND "
_TIMES = "(is_member AND counts) * "
CASE_TERMS = {
    "received": "is_received",
    "received_closed": "is_received AND standing = 'closed'",
    "unfiled": "is_member AND NOT is_filed AND standing = 'open'",
    "filed": "is_member AND counts",
    "open": _CASE + "standing = 'open'",
    "closed": _CASE + "standing = 'closed'",
    "need_close": _CASE + "needs_close",
    "need_close_closed": _CASE + "needs_close AND standing = 'closed'",
    "closed_in_time": _CASE + "needs_close AND standing = 'closed' AND NOT is_late",
    "done": _CASE + "is_regular AND is_done",
    "done_in_time": _CASE + "is_regular AND is_done AND due_ms IS NOT NULL AND NOT is_late",
    "overdue_pending": _CASE + "standing = 'open' AND is_late AND NOT is_done",
    "held_now": _CASE + "standing = 'open' AND is_held",
    "no_deadline": _CASE + "due_ms IS NULL",
    "first_lead_kept": _CASE + "is_regular AND lead_kept",
    "rework": _TIMES + "reworked",
    "returned": _TIMES + "returned",
    "upheld": _TIMES + "upheld",
    "extended": _TIMES + "extensions",
    "held": _TIMES + "holds",
    "reopened": _TIMES + "reopened",
    "rework_cases": _CASE + "reworked > 0",
    "returned_cases": _CASE + "returned > 0",
    "refused_cases": _CASE + "refused > 0",
    "extended_cases": _CASE + "extensions > 0",
    "held_cases": _CASE + "holds > 0",
    "came_back": f"CASE WHEN is_member AND counts AND standing = 'closed' THEN {_CAME_BACK} ELSE 0 END",
    "contact_owed": _CASE + "contact_owed",
    "contacted_in_time": _CASE + "is_regular AND contact_owed AND coalesce(contact_ms <= :as_of, 0)",
    "answered": _TIMES + "answered",
    "resolved": _TIMES + "resolved",
    "satisfied": _TIMES + "satisfied",
    **{outcome: f"is_member AND standing = '{outcome}'" for outcome in EXCLUDED},
    "excluded_late": _CASE + "NOT is_regular AND is_late",
}
# Terms about one department's part: summed over table `attendance` (a), grouped by that department.
PART_TERMS = {
    "attend_owed": "(a.met_ms <= :as_of OR (a.due_ms <= :as_of AND a.due_ms < coalesce(a.revoked_ms, :never)))",
    "attended": "(a.met_ms <= :as_of AND NOT a.late)",
}
TERMS = (*CASE_TERMS, *PART_TERMS)

# name -> its numerator and its denominator
RATES = {
    "closure_due": ("need_close_closed", "need_close"),
    "closure_filed": ("closed", "filed"),
    "closure_received": ("received_closed", "received"),
    "on_time_closure": ("closed_in_time", "need_close"),
    "on_time_handling": ("done_in_time", "filed"),
    "dispatch_accuracy": ("first_lead_kept", "filed"),
    "response": ("contacted_in_time", "contact_owed"),
    "resolution": ("resolved", "answered"),
    "satisfaction": ("satisfied", "answered"),
    "attendance": ("attended", "attend_owed"),
    "rework_rate": ("rework_cases", "filed"),
    "return_rate": ("returned_cases", "filed"),
    "refused_return_rate": ("refused_cases", "filed"),
    "upheld_return_rate": ("upheld", "returned"),
    "extension_rate": ("extended_cases", "filed"),
    "hold_rate": ("held_cases", "filed"),
    "came_back_rate": ("came_back", "closed"),
}


# A cohort of a period looks at no other cases: whoever is a member has one of these instants in it.
_WITHIN = "(i.{name} >= :from AND i.{name} < :to)"
_INSTANTS: dict[Basis, tuple[str, ...]] = {
    "received": ("opened_ms",),
    "filed": ("filed_ms", "opened_ms"),
    "due": ("due_ms", "filed_ms", "opened_ms"),
}


def seen(cohort: Cohort, narrow: str = "") -> str:
    """The common table `seen` of a cohort; `narrow` is a condition on `incident` (i), beginning with AND."""
    if cohort.from_ms > 0 or cohort.to_ms < NEVER_MS:
        within = " OR ".join(_WITHIN.replace("{name}", name) for name in _INSTANTS[cohort.basis])
        narrow = f"{narrow} AND ({within})"
    adjusted = _ADJUSTED if cohort.adjusted else ""
    return _SEEN.replace("{anchor}", _ANCHORS[cohort.basis]).replace("{narrow}", narrow).replace("{adjusted}", adjusted)


def anchor(cohort: Cohort) -> str:
    """The instant of a case in `seen` by which it belongs to a period."""
    return f"coalesce({_ANCHORS[cohort.basis]})"


def values(cohort: Cohort) -> dict[str, int]:
    """What the statements bind."""
    return {
        "as_of": cohort.as_of_ms,
        "from": cohort.from_ms,
        "to": cohort.to_ms,
        "never": NEVER_MS,
        "came_back": cohort.came_back_ms,
    }
