"""The incident, its assignments and its targets as the engine holds them in memory.

Slotted structs outside the garbage collector's books (`gc=False`: none can be part of a cycle) and tuples of them,
which the collector lets go of too: with lists, it took a quarter of the time of a growing partition. Text and tuples
are shared wherever many incidents say the same. `wire` writes them as JSON, `records` reads them back.
"""

from msgspec import Struct

from dispatcher.core.dossier import Callback, Request, Supervision, WhistleCall
from dispatcher.core.lifecycle import OPEN_STATES, AssignmentState, IncidentState
from geo import Place
from rules import Facts

__all__ = ["HISTORY_MAX", "NEVER_MS", "Assignment", "Brief", "Counts", "Decided", "Incident", "Target", "party"]

HISTORY_MAX = 20  # entries kept with an incident; older ones go to `archive` in pages of this many
REPORTS_MAX = 20  # report ids listed on an incident; all are counted
PARTS_MAX = 64  # assignments an incident ever has: its record stays far below the limit of 900 KB
ROUNDS_MAX = 100  # of rework and reopening together: each adds a span to the clocks on its record
TARGETS_MAX = 512  # targets it ever has, for the same reason
NEVER_MS = 1 << 62  # later than any instant: "no timer"


def party(department: str, unit: str | None) -> str:
    """A department or one of its units as one word: `street-office@530002001`."""
    return department if unit is None else f"{department}@{unit}"


class Decided(Struct, frozen=True, gc=False):
    """What an incident keeps of the decision in force: enough to track it and to find its reasons again.

    Shared between incidents that were decided alike under one policy.
    """

    route: str | None
    overlays: tuple[str, ...]
    fallback: str | None
    policy: str  # sha256
    semantics: int
    cause: str
    sla: str
    ladder: str | None
    reason: str
    won_by: str


class Assignment(Struct, gc=False):
    """One department's part in an incident."""

    department: str
    unit: str | None
    role: str  # lead | support
    task: str | None  # what a support is to do
    required: bool
    state: AssignmentState
    since_ms: int  # in this state since
    offered_ms: int
    by: tuple[str, ...]  # the rules that named it
    acknowledged_ms: int | None = None
    arrived_ms: int | None = None
    done_ms: int | None = None
    reason_code: str | None = None
    person: str | None = None  # to whom the department gave it
    hold_until_ms: int | None = None  # when its hold ends by itself
    holds: int = 0
    score: int | None = None  # the street's rating, 1 to 5

    @property
    def party(self) -> str:
        """Department and unit as one word."""
        return party(self.department, self.unit)


class Target(Struct, gc=False):
    """One promise with its clock: consumed working time against a budget.

    While it runs, `due_ms = add(since_ms, amount_ms - consumed_ms)` on its clock; while it is paused `since_ms` is -1.
    """

    name: str  # acknowledge | contact | attend | resolve | check
    of: str  # the party that owes it, or `centre`
    budget: str  # as the policy writes it: 30wm
    clock: str  # calendar name, or `always`
    by: str  # the SLA or overlay it comes from
    amount_ms: int
    consumed_ms: int
    since_ms: int
    due_ms: int
    provisional: bool = False
    warned: int = 0
    paused_by: str | None = None
    extended: int = 0  # times its budget was granted once more
    rung: int = 0  # steps of the ladder already taken for it
    runs: tuple[tuple[int, int], ...] = ()  # spans in which it ran before its pauses
    fulfilled_ms: int | None = None
    breached_ms: int | None = None
    revoked_ms: int | None = None
    next_ms: int = NEVER_MS  # the next warning, step or due instant; not published, worked out again on restore

    @property
    def active(self) -> bool:
        """Still owed: neither fulfilled nor revoked (it may be paused or overdue)."""
        return self.fulfilled_ms is None and self.revoked_ms is None


class Counts(Struct, gc=False):
    """How often what happened."""

    rework: int = 0
    returned: int = 0
    upheld: int = 0  # returns the centre agreed with
    extended: int = 0
    held: int = 0
    urged: int = 0
    escalated: int = 0
    reopened: int = 0


class Brief(Struct, frozen=True, gc=False):
    """What an order tells besides the incident: address, masked text, media. Kept in `state`, never on `incidents`."""

    address: str | None
    text: str | None
    media: tuple[str, ...]


class Incident(Struct, gc=False):
    """What is worked on."""

    incident_id: str
    state: IncidentState
    category: str | None
    reported_category: str
    standard: str | None
    request_kind: str | None
    severity: int
    mode: str
    place: Place
    facts: Facts
    decided: Decided
    decision_seq: int
    opened_ms: int
    reported_ms: int
    updated_ms: int
    lead: Assignment | None
    support: tuple[Assignment, ...]
    targets: tuple[Target, ...]
    reports: tuple[tuple[str, str], ...]
    report_count: int
    reporter_count: int
    tags: tuple[str, ...]
    flags: tuple[str, ...]
    last_report_ms: int
    asset: str | None = None
    closed_ms: int | None = None
    promised_ms: int | None = None
    verify_ms: int | None = None  # when an unanswered verification alarms the centre
    drop_ms: int | None = None  # when an ended incident leaves the compacted topic
    counts: Counts | None = None
    parent: str | None = None
    children: tuple[str, ...] = ()
    suggested: tuple[str, ...] = ()
    dispatched_by: str | None = None
    dispatched_ms: int | None = None
    history: tuple[str, ...] = ()
    history_pages: int = 0
    updates: dict[str, int] | None = None
    brief: Brief | None = None
    level: int = 0  # of the grid, that holds it; 0 is the city
    requests: tuple[Request, ...] = ()
    supervision: tuple[Supervision, ...] = ()
    whistle: WhistleCall | None = None
    callbacks: tuple[Callback, ...] = ()
    external: str | None = None  # whom it was referred to, and its number there
    exempt: tuple[str, ...] = ()  # parties whose appeal was upheld: out of the adjusted figures
    claimed_by: str | None = None
    claim_until_ms: int | None = None
    desk_ms: int | None = None  # when the centre is reminded that it waits for them
    checked_ms: int | None = None  # passed its check and waits for the callbacks
    ended_as: str | None = None  # the end it had before somebody asked to reopen it
    text: str | None = None  # what anybody may read of it, reviewed; never a report's own
    revision: int = 0
    next_ms: int = NEVER_MS  # the earliest of its timers; not published

    @property
    def open(self) -> bool:
        """Not ended."""
        return self.state in OPEN_STATES

    def assignment_of(self, department: str, unit: str | None = None) -> Assignment | None:
        """The assignment of a department, or of exactly this unit, that is not withdrawn.

        Without a unit it is the department's own, or the first of its units' where it has none of its own.
        """
        first: Assignment | None = None
        for assignment in self.assignments():
            if assignment.department == department and assignment.state is not AssignmentState.WITHDRAWN:
                if assignment.unit == unit:
                    return assignment
                first = first or assignment
        return first if unit is None else None

    def part_of(self, of: str) -> Assignment | None:
        """The part of a party (`department` or `department@unit`) that is not withdrawn."""
        for assignment in self.assignments():
            if assignment.party == of and assignment.state is not AssignmentState.WITHDRAWN:
                return assignment
        return None

    def assignments(self) -> tuple[Assignment, ...]:
        """Lead first, then the supports in order."""
        return self.support if self.lead is None else (self.lead, *self.support)

    def tally(self) -> Counts:
        """The counts, made on first use: most incidents never need them."""
        if self.counts is None:
            self.counts = Counts()
        return self.counts
