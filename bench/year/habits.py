"""How people behave: every probability of the year in one place. They are what the closure rate comes from."""

from dataclasses import dataclass

__all__ = ["Habits"]


@dataclass(frozen=True, slots=True)
class Habits:
    """Probabilities of a single choice, unless said otherwise. What is not said is the ordinary course."""

    # what is sent
    repeated: float = 0.015  # the same record twice
    bad: float = 0.008  # no report at all, or one that cannot be taken
    echoed: float = 0.06  # a matter that others report too, within the hours it is seen in
    nowhere: float = 0.025  # a person's report that does not say where
    uncategorised: float = 0.01
    inquiry: float = 0.012
    praise: float = 0.004
    drill: float = 0.002
    update_repeated: float = 0.004
    update_wrong: float = 0.001  # a department answers for an incident that is not its own

    # departments
    never_reacts: float = 0.004  # to an offer; the ladder climbs
    returns_lead: float = 0.022
    returns_support: float = 0.008
    acknowledges_in_time: float = 0.93
    works_in_time: float = 0.955
    sits_on_it: float = 0.004  # acknowledges and does nothing more
    arrives_unasked: float = 0.12
    delegates: float = 0.06
    tells_progress: float = 0.08
    notes: float = 0.02
    phones: float = 0.95  # a lead the resident, where it owes it
    phones_in_time: float = 0.93
    phones_unasked: float = 0.2
    reached: float = 0.88  # whoever is phoned
    asks_hold: float = 0.01
    asks_extension: float = 0.02
    asks_transfer: float = 0.004
    asks_support: float = 0.006
    forgets_evidence: float = 0.01
    optional_support_works: float = 0.5
    wakes_when_urged: float = 0.35
    replies: float = 0.85  # to a supervision
    works_when_supervised: float = 0.75
    appeals_when_late: float = 0.25

    # the centre
    claims: float = 0.04
    accepts_return: float = 0.7
    approves: float = 0.75
    clears: float = 0.92
    fails_check: float = 0.035  # what was said to be done is not
    verified_exists: float = 0.82
    verified_unable: float = 0.04
    collector_forgets: float = 0.03
    merges_suggested: float = 0.8
    splits_again: float = 0.02
    recalls: float = 0.002
    adds_support: float = 0.005
    urges: float = 0.004
    reclassifies: float = 0.006
    voids: float = 0.0184
    forces_when_supervised: float = 0.18
    refers: float = 0.0085
    reopens: float = 0.6

    # officers and streets
    settles_alone: float = 0.7  # where the category allows it
    whistles: float = 0.003
    confirms: float = 0.85
    rates: float = 0.05
    street_supervises: float = 0.0015

    # the callback desk and the residents
    desk_phones: float = 0.5  # when a call is nearly late or late, each time it is reminded
    called_back: float = 0.3
    answers: float = 0.8
    resolved: float = 0.975
    satisfied: float = 0.96
    asks_again: float = 0.004  # wants it reopened, without being asked
