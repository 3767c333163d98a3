"""Deadlines around holidays: the spans are the calendar's, the counts those of a plain loop over the incidents."""

from collections import Counter

from dispatcher.core import DAY_MS, ms_to_text, text_to_ms
from dispatcher.policies.lookahead import Closure, look_ahead
from rules import Policy
from tests.policies.past_city import Town, changed, local, policy


def chinese(*more: tuple[str, str]) -> Policy:
    return changed(
        ("hours_per_working_day: 8}\n", "hours_per_working_day: 8, days: {provider: holidays, country: CN}}\n"), *more
    )


def spans(closures: list[Closure]) -> list[tuple[str, str, str, int, int]]:
    return [(c.calendar, ms_to_text(c.from_ms), ms_to_text(c.until_ms), c.days, len(c.holidays)) for c in closures]


def utc(text: str) -> str:
    return ms_to_text(local(text))


def test_ordinary_weeks_show_nothing() -> None:
    found = look_ahead(Town().ledger, policy(), local("2026-03-02 00:00"), 60)
    assert found.closures == []
    assert [(h.calendar, h.known_until_ms, h.beyond) for h in found.horizons] == [
        ("office", None, 0),
        ("night", None, 0),
    ]


def test_a_holiday_week_at_its_full_length() -> None:
    """National Day 2026: 1 to 7 October, with make-up workdays before and after it."""
    national = ("office", utc("2026-09-30 17:30"), utc("2026-10-08 08:30"), 7)
    for start, days in (("2026-09-01 00:00", 60), ("2026-10-03 12:00", 1), ("2026-09-30 00:00", 1)):
        found = look_ahead(Town().ledger, chinese(), local(start), days)
        assert national in [span[:4] for span in spans(found.closures)], start
    (closure,) = [c for c in found.closures if c.days == 7]
    assert set(closure.holidays) >= {"2026-10-01", "2026-10-02", "2026-10-03"}
    assert look_ahead(Town().ledger, chinese(), local("2026-10-08 08:30"), 1).closures == []


def test_one_weekday_off_joins_the_weekend_and_shows() -> None:
    off = changed(("hours_per_working_day: 8}", 'hours_per_working_day: 8, overrides: {"2026-03-09": restday}}'))
    found = look_ahead(Town().ledger, off, local("2026-03-02 00:00"), 30)
    assert spans(found.closures) == [("office", utc("2026-03-06 17:30"), utc("2026-03-10 08:30"), 3, 0)]


def test_a_single_holiday_shows_although_it_is_short() -> None:
    off = changed(("hours_per_working_day: 8}", 'hours_per_working_day: 8, overrides: {"2026-03-11": holiday}}'))
    found = look_ahead(Town().ledger, off, local("2026-03-02 00:00"), 30)
    assert spans(found.closures) == [("office", utc("2026-03-10 17:30"), utc("2026-03-12 08:30"), 1, 1)]


def test_deadlines_before_during_and_after() -> None:
    """Against the same counts by a plain loop over what is published."""
    off = changed(
        (
            "hours_per_working_day: 8}",
            'hours_per_working_day: 8, overrides: {"2026-03-06": holiday, "2026-03-09": holiday}}',
        )
    )
    town = Town(first=off, at="2026-03-04 09:00")
    for n in range(12):
        town.at(f"2026-03-0{4 + n // 8} {9 + n % 8:02}:30")
        town.report(f"r{n}", ("01", "02", "03", "04")[n % 4], cell=f"T{n % 2 + 1}C{n % 3 % 2}")
    town.update(town.report("rx", "03"), "acknowledge")
    gone = town.report("ry", "03")
    town.update(gone, "void", reason_code="test")
    as_of_ms = town.now_ms
    found = look_ahead(town.ledger, off, as_of_ms, 20)
    (closure,) = found.closures
    assert spans([closure]) == [("office", utc("2026-03-05 17:30"), utc("2026-03-10 08:30"), 4, 2)]
    before, during, after = Counter[str](), Counter[str](), Counter[str]()
    running = 0
    for incident in town.out("incidents"):
        for target in incident.get("targets", ()):
            if incident["state"] == "voided" or "since" not in target or "fulfilled_at" in target:
                continue
            running += 1
            due_ms, of = text_to_ms(target["due_at"]), target["of"].split("@")[0]
            if due_ms < as_of_ms:
                continue
            if target["clock"] == "office":
                before[of] += closure.from_ms - DAY_MS <= due_ms <= closure.from_ms
                after[of] += closure.until_ms <= due_ms <= closure.until_ms + DAY_MS
            else:
                during[of] += closure.from_ms < due_ms < closure.until_ms
    assert running == found.running
    assert (closure.before, closure.during, closure.after) == (+before, +during, +after)
    assert closure.before
    assert closure.during
    assert closure.after
    assert closure.departments() == sorted({*+before, *+during, *+after})


def test_deadlines_beyond_what_is_known_are_counted() -> None:
    """China announces its make-up workdays a year ahead; what falls due later is provisional."""
    known = chinese(("resolve: 1wd, check: 4wh", "resolve: 800wd, check: 4wh"))
    town = Town(first=known)
    town.report("r1", "02")
    town.report("r2", "03")
    found = look_ahead(town.ledger, known, town.now_ms, 10)
    office = next(h for h in found.horizons if h.calendar == "office")
    until_ms = known.clock("office").coverage_until_ms
    assert until_ms is not None
    assert (office.known_until_ms, office.beyond) == (until_ms, 1)


def test_a_closed_season_shows_as_one_closure() -> None:
    season = changed(("hours_per_working_day: 8}", 'hours_per_working_day: 8, seasons: ["03-20..05-31"]}'))
    found = look_ahead(Town().ledger, season, local("2026-03-05 00:00"), 3)
    (closure,) = found.closures
    assert closure.until_ms == local("2026-03-20 08:30")
    assert closure.from_ms < local("2026-03-05 00:00") - 200 * DAY_MS
