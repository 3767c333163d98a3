"""The departments: what each does with its orders, in its own time; some do not."""

from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from bench.year.agenda import MINUTE_MS, Agenda, Office
from bench.year.console import Case, Console, Order
from bench.year.habits import Habits
from bench.year.matters import kind_of
from bench.year.season import DAY_MS, HOUR_MS, by_day
from dispatcher.core import ms_to_text, text_to_ms
from dispatcher.ledger import Entry

__all__ = ["Departments"]

RETURN_REASONS = ("not_ours", "wrong_place", "other_owner", "no_detail", "duplicate")
APPEAL_REASONS = ("force_majeure", "third_party", "wrong_lead")
HELPERS = ("city-management", "police", "municipal-works", "justice-bureau", "fire-brigade")
ON_ROAD = ("acknowledged", "arrived")
AT_WORK = ("dispatched", "handling", "returned", "on_hold")  # states of an incident
PHOTO = ("https://media.example/done.jpg",)
CALLS = 3  # so often somebody is phoned who does not answer

# What a department does: (now, its code, the order, the incident as it is) -> what it writes.
_Deed = Callable[[int, str, Order, Case], list[Entry]]
_order = msgspec.json.Decoder(Order)


class Departments(Office):
    """All departments; each answers for itself."""

    def __init__(self, seed: int, agenda: Agenda, console: Console, habits: Habits) -> None:
        super().__init__("departments", seed, agenda, console, habits)

    def read(self, department: str, value: bytes) -> None:
        """An order has come."""
        order = _order.decode(value)
        match order.event:
            case "offer":
                self._offered(department, order)
            case "rework" | "hold_ended" | "extended" | "request_refused":
                if order.state in ON_ROAD:
                    self._plan_work(department, order)
            case "remind":
                if order.state == "offered":
                    self._plan(department, order, self.after(5, 60), self._acknowledge)
                elif order.state == "acknowledged":
                    self._plan(department, order, self.after(10, 50), self._arrive)
                    self._plan_work(department, order)
            case "urge":
                if self.chance(self.habits.wakes_when_urged):
                    self._wake(department, order)
            case "supervise":
                if self.chance(self.habits.replies):
                    self._plan(department, order, self.after(30, 8 * 60), self._reply)
                if self.chance(self.habits.works_when_supervised):
                    self._wake(department, order)
            case "close":
                if order.role == "lead" and self.chance(self.habits.appeals_when_late):
                    self._plan(department, order, self.after(60, 3 * 24 * 60), self._appeal)

    def _plan(self, department: str, order: Order, at_ms: float, act: _Deed) -> None:
        self.agenda.plan(at_ms, partial(self._do, department=department, order=order, act=act))

    def _do(self, now_ms: int, *, department: str, order: Order, act: _Deed) -> Sequence[Entry]:
        case = self.console.look(order.incident_id)
        return [] if case is None else act(now_ms, department, order, case)

    def _says(self, department: str, order: Order, action: str, **fields: object) -> list[Entry]:
        return self.update(order.incident_id, action, fields, by_department=department, unit=order.unit)

    # --- the order is there -------------------------------------------------------------------------------------

    def _offered(self, department: str, order: Order) -> None:
        habits, now_ms = self.habits, self.agenda.now_ms
        if self.chance(habits.never_reacts):
            return
        if order.severity > 1 and self.chance(habits.returns_lead if order.role == "lead" else habits.returns_support):
            self._plan(department, order, self.after(5, 55), self._return)
            return
        due_ms = text_to_ms(order.due["acknowledge"]) if "acknowledge" in order.due else now_ms + HOUR_MS
        left_ms = max(due_ms - now_ms, MINUTE_MS)
        in_time = self.chance(habits.acknowledges_in_time)
        share = self.rng.betavariate(1.5, 3.0) if in_time else 1.05 + self.rng.expovariate(2.0)
        self._plan(department, order, now_ms + share * left_ms, self._acknowledge)

    def _wake(self, department: str, order: Order) -> None:
        if order.state == "offered":
            self._plan(department, order, self.after(10, 240), self._acknowledge)
        else:
            self._plan(department, order, self.after(60, 48 * 60), self._finish)

    def _return(self, _now_ms: int, department: str, order: Order, case: Case) -> list[Entry]:
        part = case.part(department, order.unit)
        if part is None or part.state != "offered":
            return []
        return self._says(department, order, "return", reason_code=self.rng.choice(RETURN_REASONS))

    def _acknowledge(self, now_ms: int, department: str, order: Order, case: Case) -> list[Entry]:
        part, habits = case.part(department, order.unit), self.habits
        if part is None or part.state != "offered" or case.state not in AT_WORK:
            return []
        said = self._says(department, order, "acknowledge")
        if "attend" in order.due or self.chance(habits.arrives_unasked):
            left_ms = max(text_to_ms(order.due["attend"]) - now_ms, 0) if "attend" in order.due else HOUR_MS
            share = self.rng.uniform(0.2, 0.95) if self.chance(0.93) else self.rng.uniform(1.0, 3.0)
            self._plan(department, order, now_ms + share * left_ms, self._arrive)
        if self.chance(habits.delegates):
            said += self._says(department, order, "delegate", person=f"crew-{self.rng.randrange(50)}")
        if order.role == "lead":
            self._plan_call(department, order)
        if self.chance(habits.update_wrong):
            said += self.update(
                order.incident_id, "progress", {"text": "走错了门。"}, by_department="telecom-companies"
            )
        if order.role == "support" and not order.required and not self.chance(habits.optional_support_works):
            return said
        if not self.chance(habits.sits_on_it):
            self._plan_work(department, order)
        return said

    # --- the work -----------------------------------------------------------------------------------------------

    def _plan_work(self, department: str, order: Order) -> None:
        """When it will be done, and what may come before."""
        habits, now_ms = self.habits, self.agenda.now_ms
        due_ms = text_to_ms(order.due["resolve"]) if "resolve" in order.due else now_ms + DAY_MS
        left_ms = max(due_ms - now_ms, 20 * MINUTE_MS)
        in_time = self.chance(habits.works_in_time)
        share = self.rng.betavariate(1.6, 2.4) if in_time else 1.0 + self.rng.expovariate(1.5)
        done_ms = now_ms + share * left_ms
        if in_time and order.severity > 1:
            done_ms = min(by_day(done_ms, self.rng), max(due_ms - MINUTE_MS, done_ms))
        if order.role == "lead" or order.required:
            asked = self._ask_first(department, order, done_ms)
            if asked:
                return
        if self.chance(habits.tells_progress):
            self._plan(department, order, (now_ms + done_ms) / 2, self._progress)
        self._plan(department, order, done_ms, self._finish)

    def _ask_first(self, department: str, order: Order, done_ms: float) -> bool:
        """Ask for something instead of finishing; whether it did. What is answered wakes it again."""
        habits, draw = self.habits, self.rng.random()
        for kind, share in (
            ("hold", habits.asks_hold),
            ("extension", habits.asks_extension),
            ("transfer", habits.asks_transfer),
            ("support", habits.asks_support),
        ):
            if draw < share:
                act = partial(self._ask, kind=kind)
                self._plan(department, order, (self.agenda.now_ms + done_ms) / 2, act)
                return kind in ("hold", "extension", "transfer")
            draw -= share
        return False

    def _arrive(self, _now_ms: int, department: str, order: Order, case: Case) -> list[Entry]:
        part, place = case.part(department, order.unit), case.place
        if part is None or part.state != "acknowledged" or case.state not in AT_WORK:
            return []
        position = None
        if place.lon is not None and place.lat is not None and self.chance(0.85):
            off = 0.0005 if self.chance(0.97) else 0.02
            position = {"lon": place.lon + self.rng.uniform(-off, off), "lat": place.lat + self.rng.uniform(-off, off)}
        return self._says(department, order, "arrive", position=position)

    def _plan_call(self, department: str, order: Order) -> None:
        """Phone the resident: in time where it is owed, or late, or never; some phone who need not."""
        habits, now_ms = self.habits, self.agenda.now_ms
        if "contact" not in order.due:
            if self.chance(habits.phones_unasked):
                self._plan(department, order, self.after(5, 180), partial(self._phone, attempt=1))
        elif self.chance(habits.phones):
            left_ms = max(text_to_ms(order.due["contact"]) - now_ms, 10 * MINUTE_MS)
            share = self.rng.uniform(0.05, 0.8) if self.chance(habits.phones_in_time) else self.rng.uniform(1.0, 4.0)
            self._plan(department, order, now_ms + share * left_ms, partial(self._phone, attempt=1))

    def _phone(self, _now_ms: int, department: str, order: Order, case: Case, *, attempt: int) -> list[Entry]:
        if case.part(department, order.unit) is None or case.state not in ("dispatched", "handling", "checking"):
            return []
        if kind_of(case.reports[0][0]) == "device" or ("contact" in order.due and not case.call_owed):
            return []  # nobody to phone, or the desk was quicker
        reached = self.chance(self.habits.reached)
        if not reached and attempt < CALLS and "contact" in order.due:
            self._plan(department, order, self.after(10, 90), partial(self._phone, attempt=attempt + 1))
        return self._called(department, order, case, reached=reached)

    def _called(self, department: str, order: Order, case: Case, *, reached: bool) -> list[Entry]:
        source, report_id = case.reports[0]
        report = {"source": source, "report_id": report_id}
        return self._says(department, order, "contact", report=report, reached=reached)

    def _progress(self, _now_ms: int, department: str, order: Order, case: Case) -> list[Entry]:
        part = case.part(department, order.unit)
        if part is None or part.state not in ON_ROAD or case.state not in AT_WORK:
            return []
        action = "note" if self.chance(self.habits.notes) else "progress"
        return self._says(department, order, action, text="正在处理。")

    def _ask(self, now_ms: int, department: str, order: Order, case: Case, *, kind: str) -> list[Entry]:
        part = case.part(department, order.unit)
        if part is None or part.state not in ON_ROAD or case.state not in AT_WORK:
            return []
        # whatever comes of it, it is not forgotten: also where the request lapses or is never decided
        self._plan(department, order, self.after(3 * 24 * 60, 12 * 24 * 60), self._finish)
        match kind:
            case "hold":
                until = ms_to_text(now_ms + self.rng.randint(1, 12) * DAY_MS)
                return self._says(department, order, "request", kind=kind, reason_code="weather", until=until)
            case "extension":
                return self._says(department, order, "request", kind=kind, reason_code="parts")
            case "transfer":
                fields = {"reason_code": "duty_shared", "departments": [self.rng.choice(HELPERS)]}
            case _:
                fields = {"reason_code": "equipment", "departments": [self.rng.choice(HELPERS)]}
        return self._says(department, order, "request", kind=kind, **fields)

    def _finish(self, _now_ms: int, department: str, order: Order, case: Case) -> list[Entry]:
        part = case.part(department, order.unit)
        if part is None or case.state not in AT_WORK:
            return []
        if part.state == "held":  # done while it waited
            self._plan(department, order, self.after(6, 60), self._finish)
            return self._says(department, order, "end_hold")
        if part.state not in ON_ROAD:
            return []
        if self.chance(self.habits.forgets_evidence):
            self._plan(department, order, self.after(10, 300), self._finish)
            return self._says(department, order, "done", text="已处理。")
        said: list[Entry] = []
        if order.role == "lead" and case.call_owed and self.chance(self.habits.phones):
            said = self._called(department, order, case, reached=self.chance(self.habits.reached))
        return [*said, *self._says(department, order, "done", text="已处理。", media=PHOTO)]

    # --- what others want of it ---------------------------------------------------------------------------------

    def _reply(self, _now_ms: int, department: str, order: Order, case: Case) -> list[Entry]:
        party = department if order.unit is None else f"{department}@{order.unit}"
        waiting = [s for s in case.supervision if s.party == party and s.replied_at is None and s.cleared_at is None]
        if not waiting or case.part(department, order.unit) is None:
            return []
        return self._says(department, order, "reply", number=waiting[0].number, text="已安排，限期办结。")

    def _appeal(self, _now_ms: int, department: str, order: Order, case: Case) -> list[Entry]:
        party = department if order.unit is None else f"{department}@{order.unit}"
        late = any(t.name == "resolve" and t.of == party and t.breached_at is not None for t in case.targets)
        if not late or case.state != "closed":
            return []
        reason = self.rng.choice(APPEAL_REASONS)
        return self._says(department, order, "request", kind="exempt", reason_code=reason)
