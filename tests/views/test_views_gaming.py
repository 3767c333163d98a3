import msgspec
from test_views_measures import closed_life
from views_cases import HOUR_MS, MINUTE_MS, START_MS
from views_city import City, of, view_of

from dispatcher.views import Burst, Cohort, Gaming, Suspect, exemptions, gaming, measure
from dispatcher.views.reports import gaming_table


def no_clock(sha256: str, name: str):
    raise LookupError(name)


def found_in(view) -> Gaming:
    return gaming(view, Cohort(view.latest_ms), no_clock, {"03.02"})


def test_five_done_within_ten_minutes_before_their_deadlines_are_a_burst_and_four_are_not():
    burst = [closed_life(n, minute) for n, minute in enumerate((55, 56, 57, 58, 60))]
    assert found_in(view_of(burst)).bursts == [
        Burst("gas", START_MS + 55 * MINUTE_MS, START_MS + HOUR_MS, tuple(f"20260921-000-0000{n}" for n in range(5)))
    ]
    assert found_in(view_of(burst[1:])).bursts == []
    assert found_in(view_of([*burst[1:], closed_life(9, 53)])).bursts == []  # not in its last tenth
    assert found_in(view_of([*burst[1:], closed_life(9, 61)])).bursts == []  # late is late, not a game


def test_done_without_evidence_is_told_where_evidence_is_wanted():
    city = City()
    lives = [closed_life(1, 30), closed_life(2, 30), closed_life(3, 30, category="07")]
    for life, media in zip(lives, (0, 2, 0), strict=True):
        entry = {"event": "done", "party": "gas", "media": media}
        at_ms, topic, event, value = life.outputs[3]
        told = msgspec.json.decode(event)
        assert told["what"] == "done"
        life.outputs[3] = at_ms, topic, msgspec.json.encode({**told, "changes": [entry]}), value
    city.publish(lives)
    found = found_in(of(city))
    assert found.without_evidence == [Suspect("20260921-000-00001", "gas", 1)]
    table = gaming_table(found, "zh", {"gas": "燃气公司"})
    assert table.rows == [["无佐证办结", "燃气公司", None, "1", "20260921-000-00001"]]


def test_a_deadline_in_an_outage_leaves_the_adjusted_figures_once_it_is_told():
    city = City()
    city.publish([closed_life(1, 90), closed_life(2, 90, 80), closed_life(3, 30)])
    outage = {"event": "outage", "since": "2026-09-21T14:00:00.000Z", "until": "2026-09-22T14:00:00.000Z"}
    due_ms, told_ms = START_MS + HOUR_MS, START_MS + 9 * HOUR_MS
    from dispatcher.core import ms_to_text

    outage |= {"since": ms_to_text(due_ms - 1), "until": ms_to_text(due_ms)}
    for event in (outage, {"event": "mode_set", "mode": "x"}, {"event": "reroute_ended", "changed": 3}, outage):
        city.commit([("events", "control", told_ms, msgspec.json.encode(event))], {})
    view = of(city)
    now, before = Cohort(told_ms, adjusted=True), Cohort(told_ms - 1, adjusted=True)
    assert measure(view, now).total.terms["filed"] == 1
    assert (
        measure(view, before).total.terms["filed"] == measure(view, now._replace(adjusted=False)).total.terms["filed"]
    )
    assert [(one.incident_id[-1], one.why) for one in exemptions(view, now)] == [("1", "outage"), ("3", "outage")]
