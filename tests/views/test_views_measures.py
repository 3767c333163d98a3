from views_cases import MINUTE_MS, START_MS, Life
from views_city import view_of

from dispatcher.core import IncidentState, ms_to_text
from dispatcher.core.dossier import WhistleCall
from dispatcher.core.records import TargetRecord
from dispatcher.views import (
    EXCLUDED,
    RATES,
    Cohort,
    Flow,
    Grouping,
    Projection,
    Promises,
    Rate,
    exemptions,
    flows,
    incidents_behind,
    measure,
    promises,
)

HOUR_MS = 60 * MINUTE_MS


def closed_life(n: int, done_min: int, budget_min: int = 60, **more) -> Life:
    life = Life(f"20260921-000-{n:05d}", START_MS, **more)
    life.dispatch(START_MS, "gas", budget_min * MINUTE_MS)
    life.acknowledge(START_MS)
    if done_min > budget_min:
        life.breach()
    life.done(START_MS + done_min * MINUTE_MS)
    life.check(START_MS + 200 * MINUTE_MS, True)
    return life


# --- the known answer and its neighbours -----------------------------------------------------------------------


def test_601_dispatched_597_in_time_4_late():
    view = view_of([closed_life(n, 30 if n < 597 else 90) for n in range(601)])
    total = measure(view, Cohort(view.latest_ms)).total
    assert total.rates["closure_due"] == Rate(601, 601)
    assert total.rates["closure_due"].value == 1.0
    assert total.rates["on_time_closure"] == Rate(597, 601)
    assert f"{total.rates['on_time_closure'].value:.2%}" == "99.33%"
    assert total.rates["on_time_handling"] == Rate(597, 601)
    assert total.rates["closure_filed"] == total.rates["closure_received"] == Rate(601, 601)


def test_done_at_the_due_instant_is_in_time_and_a_millisecond_later_is_not():
    exact, after = closed_life(1, 60), Life("20260921-000-00002", START_MS)
    after.dispatch(START_MS, "gas", HOUR_MS)
    after.acknowledge(START_MS)
    after.breach()
    after.done(START_MS + HOUR_MS + 1)
    after.check(START_MS + 2 * HOUR_MS, True)
    view = view_of([exact, after])
    cohort = Cohort(view.latest_ms)
    assert incidents_behind(view, "closed_in_time", cohort) == ["20260921-000-00001"]
    assert incidents_behind(view, "need_close_closed", cohort) == ["20260921-000-00001", "20260921-000-00002"]


def test_without_cases_there_is_no_sample():
    view = Projection(":memory:")
    found = measure(view, Cohort(START_MS), Grouping("department"))
    assert found.groups == []
    assert set(found.total.terms.values()) == {0}
    assert [rate.value for rate in found.total.rates.values()] == [None] * len(RATES)
    assert flows(view, [0, 1, 2]) == [Flow(0, 1, 0, 0, 0, 0), Flow(1, 2, 0, 0, 0, 0)]
    assert promises(view) == Promises(0, 0)


def test_a_case_closed_after_the_instant_is_open_at_it():
    view = view_of([closed_life(1, 30)])
    done_ms, closed_ms = START_MS + 30 * MINUTE_MS, START_MS + 200 * MINUTE_MS

    def terms(as_of_ms):
        terms = measure(view, Cohort(as_of_ms)).total.terms
        return tuple(terms[name] for name in ("filed", "open", "done", "need_close", "closed"))

    assert terms(START_MS - 1) == (0, 0, 0, 0, 0)
    assert terms(START_MS) == (1, 1, 0, 0, 0)
    assert terms(done_ms - 1) == (1, 1, 0, 0, 0)
    assert terms(done_ms) == terms(closed_ms - 1) == (1, 1, 1, 1, 0)
    assert terms(closed_ms) == (1, 0, 1, 1, 1)


def test_a_failed_check_takes_the_done_back_and_is_not_charged_for_its_own_time():
    life = Life("20260921-000-00001", START_MS)
    life.dispatch(START_MS, "gas", HOUR_MS)
    life.acknowledge(START_MS)
    life.done(START_MS + 50 * MINUTE_MS)
    life.check(START_MS + 90 * MINUTE_MS, False)  # 40 min in the check: due at 100 min now
    life.done(START_MS + 95 * MINUTE_MS)
    life.check(START_MS + 120 * MINUTE_MS, True)
    view = view_of([life])

    def at(minute, *names):
        terms = measure(view, Cohort(START_MS + minute * MINUTE_MS)).total.terms
        return tuple(terms[name] for name in names)

    assert at(49, "done", "need_close", "rework") == (0, 0, 0)
    assert at(50, "done", "need_close", "rework") == (1, 1, 0)
    assert at(89, "done", "done_in_time", "rework") == (1, 1, 0)
    assert at(90, "done", "need_close", "rework") == (0, 0, 1)
    assert at(95, "done", "closed", "rework") == (1, 0, 1)
    assert at(120, "closed", "closed_in_time", "rework") == (1, 1, 1)


def test_overdue_from_the_due_instant_on_whether_or_not_the_timer_has_fired():
    life = Life("20260921-000-00001", START_MS)
    life.dispatch(START_MS, "gas", HOUR_MS)
    view = view_of([life])
    overdue = [measure(view, Cohort(START_MS + HOUR_MS + ms)).total.terms["overdue_pending"] for ms in (-1, 0, 1)]
    assert overdue == [0, 1, 1]


def test_a_breach_the_engine_recorded_counts_whatever_the_instants_say():
    life = Life("20260921-000-00001", START_MS)
    life.dispatch(START_MS, "gas", HOUR_MS)
    life.acknowledge(START_MS)
    life.record.targets[1].breached_at = ms_to_text(START_MS + 10 * MINUTE_MS)  # a timer that failed, say
    life.done(START_MS + 30 * MINUTE_MS)
    life.check(START_MS + 31 * MINUTE_MS, True)
    view = view_of([life])
    assert measure(view, Cohort(view.latest_ms)).total.rates["on_time_closure"] == Rate(0, 1)


def test_voiding_an_overdue_case_improves_nothing():
    lives = [closed_life(1, 30)]
    for n, (minute, breached) in enumerate([(30, False), (90, True)], 2):
        life = Life(f"20260921-000-{n:05d}", START_MS)
        life.dispatch(START_MS, "gas", HOUR_MS)
        if breached:
            life.breach()
        life.end(START_MS + minute * MINUTE_MS, IncidentState.VOIDED)
        lives.append(life)
    view = view_of(lives)
    total = measure(view, Cohort(view.latest_ms)).total
    assert (total.terms["voided"], total.terms["excluded_late"], total.terms["open"]) == (2, 1, 0)
    assert total.rates["closure_due"] == Rate(1, 2)
    assert total.rates["closure_filed"] == Rate(1, 3)
    assert incidents_behind(view, "excluded_late", Cohort(view.latest_ms)) == ["20260921-000-00003"]


def test_a_clock_that_stands_still_is_not_overdue():
    life = Life("20260921-000-00001", START_MS)
    life.dispatch(START_MS, "gas", HOUR_MS)
    life.acknowledge(START_MS)
    life.hold(START_MS + 30 * MINUTE_MS)
    view = view_of([life])
    terms = measure(view, Cohort(START_MS + 5 * HOUR_MS)).total.terms
    assert (terms["overdue_pending"], terms["held_now"], terms["held"], terms["need_close"]) == (0, 1, 1, 0)


def test_an_extension_moves_the_deadline_and_is_counted():
    life = Life("20260921-000-00001", START_MS)
    life.dispatch(START_MS, "gas", HOUR_MS)
    life.acknowledge(START_MS)
    life.extend(START_MS + 30 * MINUTE_MS, HOUR_MS)
    life.done(START_MS + 90 * MINUTE_MS)
    life.check(START_MS + 2 * HOUR_MS, True)
    view = view_of([life])
    terms = measure(view, Cohort(view.latest_ms)).total.terms
    assert (terms["extended"], terms["closed_in_time"]) == (1, 1)
    within = Cohort(view.latest_ms, "due", START_MS + 2 * HOUR_MS, START_MS + 2 * HOUR_MS + 1)
    assert measure(view, within).total.terms["filed"] == 1


def test_a_merged_case_is_in_no_denominator_and_the_other_ends_are_in_no_numerator():
    view = view_of([closed_life(n, 30) for n in range(6)])
    for n, outcome in enumerate(("merged", "forced", "desk", "referred", "self_handled")):
        view.db.execute("UPDATE incident SET outcome = ? WHERE incident_id LIKE ?", (outcome, f"%{n}"))
    total = measure(view, Cohort(view.latest_ms)).total
    assert [total.terms[name] for name in EXCLUDED] == [1, 0, 0, 1, 1, 1, 1]
    assert total.rates["closure_filed"] == total.rates["closure_received"] == Rate(1, 5)
    assert total.rates["on_time_handling"] == total.rates["dispatch_accuracy"] == Rate(1, 5)
    assert total.rates["closure_due"] == total.rates["on_time_closure"] == Rate(1, 1)
    before_any_end = measure(view, Cohort(START_MS + 199 * MINUTE_MS)).total
    assert (before_any_end.terms["filed"], before_any_end.terms["open"]) == (6, 6)


def test_the_department_of_a_case_is_the_one_that_led_at_the_instant():
    life = Life("20260921-000-00001", START_MS)
    life.dispatch(START_MS, "gas", HOUR_MS)
    life.reassign(START_MS + 10 * MINUTE_MS, "water")
    life.reassign(START_MS + 20 * MINUTE_MS, "gas")
    view = view_of([life])
    seen = []
    for minute in (0, 10, 20):
        found = measure(view, Cohort(START_MS + minute * MINUTE_MS), Grouping("department"))
        seen += [(group.code, group.terms["first_lead_kept"]) for group in found.groups]
    assert seen == [("gas", 1), ("water", 0), ("gas", 1)]


def test_a_promise_kept_to_the_instant():
    at_ms = START_MS + 30 * MINUTE_MS
    view = view_of(
        [closed_life(1, 30, promised_ms=at_ms), closed_life(2, 30, promised_ms=at_ms - 1), closed_life(3, 30)]
    )
    assert promises(view) == Promises(2, 1)


# --- reopened, exempt, by area -----------------------------------------------------------------------------------


def test_a_reopened_case_is_closed_as_of_then_and_open_as_of_now():
    life = closed_life(1, 30)
    life.reopen(START_MS + 300 * MINUTE_MS, START_MS + 310 * MINUTE_MS)
    view = view_of([life])

    def at(minute):
        terms = measure(view, Cohort(START_MS + minute * MINUTE_MS)).total.terms
        return tuple(terms[name] for name in ("closed", "closed_in_time", "open", "done", "reopened"))

    assert at(199) == (0, 0, 1, 1, 0)
    assert at(200) == at(299) == (1, 1, 0, 1, 0)
    assert at(300) == at(309) == (0, 0, 1, 1, 0)
    assert at(310) == (0, 0, 1, 0, 1)


def test_an_upheld_appeal_leaves_the_adjusted_figure_and_stays_in_the_raw_one():
    lives = [closed_life(n, 30 if n < 9 else 90) for n in range(10)]
    lives[9].appeal(START_MS + 201 * MINUTE_MS)
    view = view_of(lives)
    now = Cohort(view.latest_ms)
    assert measure(view, now).total.rates["on_time_closure"] == Rate(9, 10)
    assert measure(view, now._replace(adjusted=True)).total.rates["on_time_closure"] == Rate(9, 9)
    before = Cohort(START_MS + 200 * MINUTE_MS, adjusted=True)
    assert measure(view, before).total.rates["on_time_closure"] == Rate(9, 10)
    assert [one[::2] for one in exemptions(view, now)] == [("20260921-000-00009", "appeal")]


def test_adjusted_attendance_leaves_out_the_exempt_party_alone():
    lives, due_ms = [], START_MS + 30 * MINUTE_MS
    for n in range(2):  # fire and water are called; fire comes, water does not
        life = Life(f"20260921-000-{n:05d}", START_MS)
        life.dispatch(START_MS, "gas", HOUR_MS)
        life.record.whistle = WhistleCall("joint", "1", ms_to_text(START_MS), ("fire", "water"))
        life.record.targets += [
            TargetRecord("attend", party, "30m", "always", "s", 30 * MINUTE_MS, ms_to_text(due_ms))
            for party in ("fire", "water")
        ]
        life.record.targets[-2].fulfilled_at = ms_to_text(START_MS + MINUTE_MS)
        lives.append(life)
    lives[0].appeal(START_MS + 40 * MINUTE_MS)  # the lead's
    lives[1].appeal(START_MS + 40 * MINUTE_MS, "water")
    view = view_of(lives)

    def attendance(adjusted, by):
        found = measure(view, Cohort(view.latest_ms, adjusted=adjusted), Grouping(by))
        return {
            group.code: group.rates["attendance"] for group in found.groups if group.rates["attendance"].denominator
        }

    assert attendance(False, "department") == {"fire": Rate(2, 2), "water": Rate(0, 2)}
    assert attendance(True, "department") == {"fire": Rate(2, 2), "water": Rate(0, 1)}
    assert attendance(True, "area") == {"1": Rate(2, 3)}
    now = Cohort(view.latest_ms, adjusted=True)
    assert measure(view, now).total.terms["filed"] == 1
    by = Grouping("department")
    assert incidents_behind(view, "attend_owed", now, by, "fire") == [life.record.incident_id for life in lives]
    assert incidents_behind(view, "attend_owed", now, by, "water") == [lives[0].record.incident_id]
    view.db.execute("INSERT INTO outage VALUES (?, ?, ?)", (due_ms, due_ms, due_ms))
    assert attendance(True, "department") == {}


def test_areas_of_any_level_and_categories_of_any_depth():
    view = view_of([closed_life(1, 30, path=("1", "105", "7")), closed_life(2, 30, path=("1",), category="03")])

    def filed(by, level):
        found = measure(view, Cohort(view.latest_ms), Grouping(by, level)).groups
        return {group.code: group.terms["filed"] for group in found}

    assert filed("area", 0) == filed("area", 1) == {"1": 2}
    assert filed("area", 3) == {None: 1, "7": 1}
    assert filed("category", 0) == {"03": 1, "03.02": 1}
    assert filed("category", 1) == filed("major", 0) == {"03": 2}
