"""Ladders: who is told when nothing happens, at exactly which instant, and what stops it."""

import pytest
from core_city import DAY_MS, HOUR_MS, MINUTE_MS, START_MS, local, shown
from core_desk import Desk, do

from dispatcher.core import Incident

OLD = '  city-desk: {steps: [{trigger: "resolve breach", to: city, do: report}]}'


def ladder(text: str) -> tuple[str, str]:
    return OLD, f"  city-desk: {text}"


def desk_with(text: str, *changes: tuple[str, str]) -> tuple[Desk, Incident]:
    """Water under `works`: 30wm to acknowledge, five working hours to resolve, so due on Monday at 15:30."""
    desk = Desk(ladder(text), *changes)
    return desk, desk.report("r", "02")


def climbed(desk: Desk, incident: Incident) -> list[tuple[str, str, str]]:
    """(when, what, to whom) of every step taken."""
    return [
        (event["at"], change["do"], change["to"])
        for event in desk.out("events", incident.incident_id)
        for change in event["changes"]
        if change["event"] == "escalated"
    ]


STEPS = (
    '{calendar: cn-office, steps: [{trigger: "resolve 50%", to: lead, do: urge},'
    ' {trigger: "acknowledge breach", to: up(1), do: notify}, {trigger: "resolve breach", to: level(2), do: supervise},'
    ' {trigger: "resolve breach", after: 1wd, to: level(1), do: supervise},'
    ' {trigger: "resolve breach", after: 5wd, to: city, do: report}], acknowledge_timeout: 4wh}'
)


def test_the_ladder_of_lifecycle_md_step_by_step():
    desk, incident = desk_with(STEPS)
    desk.clock(12 * DAY_MS)
    assert climbed(desk, incident) == [
        (shown(local("2026-03-02 09:30")), "notify", "city"),  # the city holds it: there is nothing above
        (shown(local("2026-03-02 11:30")), "urge", "water-bureau"),
        (shown(local("2026-03-02 15:30")), "supervise", "cell:530001001"),
        (shown(local("2026-03-03 16:00")), "supervise", "street-office@530001"),
        (shown(local("2026-03-10 09:00")), "report", "city"),  # 40 working hours of 7.5 a day
    ]
    assert (incident.counts.urged, incident.counts.escalated) == (1, 3)
    assert next((s.by, s.reply_due) for s in incident.supervision) == (
        "cell:530001001", shown(local("2026-03-03 10:30")),  # four working hours after 15:30
    )  # fmt: skip
    told = [(n["to"], n["template"], n["target"]) for n in desk.out("notices") if n["to"].startswith("street")]
    assert told[0] == ("street-office@530001", "supervise", "resolve")
    assert desk.engine.next_due_ms == incident.supervision[-1].overdue or desk.engine.next_due_ms > desk.now_ms


def test_each_step_is_taken_once_however_often_the_engine_is_rebuilt():
    desk, incident = desk_with(STEPS)
    for _ in range(12 * 24):
        desk.engine = desk.reborn()
        desk.clock(HOUR_MS)
    assert [do for _, do, _ in climbed(desk, incident)] == ["notify", "urge", "supervise", "supervise", "report"]


def test_a_step_waits_for_the_hours_of_the_ladder():
    step = '{trigger: "resolve breach", after: 3h, to: lead, do: urge}'
    text = f"{{calendar: cn-office, steps: [{step}], hold_outside: cn-office}}"
    desk, incident = desk_with(text)
    desk.clock(2 * DAY_MS)
    assert climbed(desk, incident) == [(shown(local("2026-03-03 08:30")), "urge", "water-bureau")]  # not at 18:30


def test_a_ladder_stops_at_what_the_policy_says():
    text = '{steps: [{trigger: "resolve breach", to: lead, do: urge}], stop_when: [acknowledged]}'
    desk, incident = desk_with(text)
    do(desk, incident, ("acknowledge", "water-bureau"))
    desk.clock(2 * DAY_MS)
    assert climbed(desk, incident) == []
    assert desk.targets(incident, "resolve")["water-bureau"]["breached_at"] == shown(local("2026-03-02 15:30"))
    assert desk.reborn().next_due_ms == desk.engine.next_due_ms


def test_a_ladder_is_climbed_again_as_often_as_the_policy_says():
    text = (
        '{steps: [{trigger: "resolve breach", to: lead, do: urge}, {trigger: "resolve breach", after: 1h, to: city, do:'
        " notify}], repeat: {every: 2h, times: 2}}"
    )
    desk, incident = desk_with(text)
    desk.clock(3 * DAY_MS)
    due_ms = local("2026-03-02 15:30")
    assert climbed(desk, incident) == [
        (shown(due_ms + n * 3 * HOUR_MS + late), what, to)
        for n in range(3)
        for late, what, to in ((0, "urge", "water-bureau"), (HOUR_MS, "notify", "city"))
    ]


def test_a_done_part_climbs_no_further_and_goes_on_after_a_failed_check():
    text = '{steps: [{trigger: "resolve breach", after: 2h, to: lead, do: urge}]}'
    desk, incident = desk_with(text)
    do(desk, incident, ("acknowledge", "water-bureau"))
    desk.now_ms = local("2026-03-02 16:00")
    desk.clock()
    do(desk, incident, ("done", "water-bureau"))
    desk.clock(DAY_MS)
    assert climbed(desk, incident) == []
    assert desk.update(incident, "check", "checker", result="fail") is None
    at = desk.now_ms
    desk.clock(1)
    assert climbed(desk, incident) == [(shown(at), "urge", "water-bureau")]  # overdue by then: at once


def test_a_support_answers_for_its_own_targets():
    changes = ("lead: gas-company, sla: gas-leak", "lead: gas-company, sla: gas-leak, ladder: city-desk")
    desk = Desk(ladder('{steps: [{trigger: "attend breach", to: lead, do: urge}]}'), changes)
    incident = desk.report("r", "03.02")
    desk.clock(HOUR_MS)
    assert climbed(desk, incident) == [(shown(START_MS + 15 * MINUTE_MS), "urge", "fire-brigade")]
    assert desk.last("dept.fire-brigade")["event"] == "urge"


@pytest.mark.parametrize(("to", "expected", "level"), [
    ("up(1)", "city", 0), ("level(1)", "street-office@530001", 0), ("city", "city", 0),
    ("fire-brigade", "fire-brigade", 0),
])  # fmt: skip
def test_who_a_step_is_addressed_to(to: str, expected: str, level: int):
    desk, incident = desk_with(f'{{steps: [{{trigger: "resolve breach", to: "{to}", do: report}}]}}')
    desk.clock(DAY_MS)
    assert [(what, who) for _, what, who in climbed(desk, incident)] == [("report", expected)]
    assert incident.level == level


def test_the_ladder_moves_the_incident_up():
    first, then = '"resolve breach", to: up(1), do: supervise', '"resolve breach", after: 1h, to: up(1), do: report'
    steps = f"{{steps: [{{trigger: {first}}}, {{trigger: {then}}}]}}"
    route = (
        "lead: water-bureau, sla: works, ladder: city-desk",
        "lead: water-bureau, sla: works, ladder: city-desk, level: cell",
    )
    desk, incident = desk_with(steps, route)
    assert incident.level == 2
    desk.clock(DAY_MS)
    assert [to for _, _, to in climbed(desk, incident)] == ["street-office@530001", "city"]
    assert incident.level == 0
    assert desk.public(incident).get("level", 0) == 0


def test_a_place_without_that_level_is_the_citys():
    desk = Desk(ladder('{steps: [{trigger: "resolve breach", to: level(1), do: notify}]}'))
    incident = desk.report("r", "02", location=None)
    desk.clock(DAY_MS)
    assert [to for _, _, to in climbed(desk, incident)] == ["city"]
