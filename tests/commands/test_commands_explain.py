"""What `dispatcher explain` says, to the letter where an operator reads it at night: of incidents and of reports."""

import json
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from dispatcher.commands.opening import find_incident, opened
from dispatcher.explain import explain_incident, render, words
from dispatcher.explain.stories import read_stories
from dispatcher.hosts.setup import Books
from dispatcher.ledger import LedgerError
from tests.commands.explain_city import POLICY, Town, explained, report

FRIDAY, MONDAY = "2026-03-06", "2026-03-09"
STREET_LINE = POLICY[: POLICY.index("{id: street")].count("\n") + 1


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    yield made
    made.close()


class Said:
    """What the command printed, in each form."""

    def __init__(self, town: Town, capsys: pytest.CaptureFixture[str]) -> None:
        self._town, self._capsys = town, capsys

    def text(self, what: str | Path, **options: Any) -> list[str]:
        self._capsys.readouterr()
        explained(self._town, what, **options)
        return self._capsys.readouterr().out.splitlines()

    def json(self, what: str | Path, **options: Any) -> dict[str, Any]:
        made: dict[str, Any] = json.loads("\n".join(self.text(what, json=True, **options)))
        return made


@pytest.fixture
def said(town: Town, capsys: pytest.CaptureFixture[str]) -> Said:
    return Said(town, capsys)


def deadline(explanation: dict[str, Any], name: str, of: str | None = None) -> dict[str, Any]:
    (found,) = [d for d in explanation["deadlines"] if d["name"] == name and of in (None, d["of"])]
    return dict(found)


def stopped_and_resumed(town: Town) -> str:
    """Friday 16:00, five working hours; done at 17:00, sent back on Monday at 9:00."""
    named = town.report("r1", f"{FRIDAY} 16:00", "01")
    town.act(named, f"{FRIDAY} 16:05", "acknowledge", "street-office")
    town.act(named, f"{FRIDAY} 17:00", "done", "street-office")
    town.act(named, f"{MONDAY} 09:00", "check", "checker", result="fail")
    return named


def test_each_deadline_with_its_arithmetic(town: Town, said: Said) -> None:
    named = stopped_and_resumed(town)
    resolve = deadline(said.json(named), "resolve")
    assert resolve == {
        "name": "resolve",
        "of": "street-office@530001",
        "budget": "5wh",
        "clock": "office",
        "by": "works",
        "outcome": "running",
        "start_at": "2026-03-06T08:00:00.000Z",
        "due_at": "2026-03-09T06:30:00.000Z",  # Monday 14:30: what lifecycle.md gives as a known answer
        "amount_ms": 5 * 3_600_000,
        "consumed_ms": 3_600_000,
        "closed": [{"from_at": "2026-03-09T04:00:00.000Z", "to_at": "2026-03-09T05:30:00.000Z"}],
        "closed_spans": 1,
        "stops": [
            {
                "from_at": "2026-03-06T09:00:00.000Z",
                "to_at": "2026-03-09T01:00:00.000Z",
                "why": "done",
                "consumed_ms": 3_600_000,
            }
        ],
        "offers": [
            {"budget": "5wh", "clock": "office", "by": "works", "due_at": "2026-03-09T04:00:00.000Z", "counts": True}
        ],
    }


def test_the_text_leads_with_who_why_and_by_when(town: Town, said: Said) -> None:
    named = stopped_and_resumed(town)
    assert said.text(named) == [
        "incident 20260306-000-00001 (being handled), reported as hotline/r1",
        "lead: Township office (street-office@530001)",
        "  because: territory",
        "  route street is the only one that holds (priority 100)",
        (
            "  acknowledge, Township office (street-office@530001): due 2026-03-06 16:30 +08:00"
            " - in time, 2026-03-06 16:05 +08:00"
        ),
        "  resolve, Township office (street-office@530001): due 2026-03-09 14:30 +08:00 - running",
        "  check, the centre: due 2026-03-09 10:00 +08:00 - in time, 2026-03-09 09:00 +08:00",
        "support: nobody",
        "severity: 3",
        "",
        "deadlines",
        "  acknowledge, Township office (street-office@530001)",
        "    30wm (in the hours of office), by works, from 2026-03-06 16:00 +08:00",
        "    used 5 min of 30 min",
        "  resolve, Township office (street-office@530001)",
        "    5wh (in the hours of office), by works, from 2026-03-06 16:00 +08:00",
        "    skipped 1 closed: 2026-03-09 12:00 +08:00 to 2026-03-09 13:30 +08:00",
        (
            "    stood from 2026-03-06 17:00 +08:00 to 2026-03-09 09:00 +08:00 (reported done, awaits the check),"
            " 1 h used by then"
        ),
        "    used 1 h of 5 h",
        "  check, the centre",
        "    2wh (in the hours of office), by works, from 2026-03-06 17:00 +08:00",
        "    skipped 1 closed: 2026-03-06 17:30 +08:00 to 2026-03-09 08:30 +08:00",
        "    used 1 h of 2 h",
        "",
        "what held",
        "  street: category 01",
        "",
        "what nearly held",
        "  west: category: 01, wanted 01.02",
        "  quick: whistle: none, wanted any",
        "",
        "facts",
        "  place: 530001 > 530001001 (exact)",
        "  category: Street order (01)",
        "  source: hotline, platform people, mode normal, reporters 1",
        "  decided as of 2026-03-06 16:00 +08:00",
        f"  policy: town 1 ({said.json(named)['policy'][:12]})",
        "the decision computed again equals the recorded one (no. 1)",
    ]


def test_the_same_in_chinese(town: Town, said: Said) -> None:
    lines = said.text(stopped_and_resumed(town), lang="zh")
    assert lines[:9] == [
        "案件 20260306-000-00001（处置中），上报：hotline/r1",
        "主办：乡镇街道（street-office@530001）",
        "  依据：territory",
        "  仅派遣规则 street 成立（优先级 100）",
        "  签收，乡镇街道（street-office@530001）：2026-03-06 16:30 +08:00 前，按时，2026-03-06 16:05 +08:00 完成",
        "  办结，乡镇街道（street-office@530001）：2026-03-09 14:30 +08:00 前，计时中",
        "  核查，指挥中心：2026-03-09 10:00 +08:00 前，按时，2026-03-09 09:00 +08:00 完成",
        "协办：无",
        "等级：3",
    ]
    assert "    5wh（按日历 office 的工作时间），出自 works，自 2026-03-06 16:00 +08:00 起算" in lines
    assert (
        "    2026-03-06 17:00 +08:00 至 2026-03-09 09:00 +08:00 停止计时（已反馈办结，待核查），此前已用 1 小时"
        in lines
    )
    assert "  quick：吹哨：无，要求 any" in lines
    assert lines[-1] == "重新计算的决定与当时的记录一致（第 1 次决定）"


def test_only_the_first_closed_hours_are_shown(town: Town, said: Said) -> None:
    named = town.report("r1", f"{FRIDAY} 16:00", "05")
    resolve = deadline(said.json(named), "resolve")
    assert resolve["closed_spans"] == len(resolve["closed"]) == 6
    assert any(line.endswith("; and 3 more") for line in said.text(named))
    assert any(line.endswith("；另有 3 段") for line in said.text(named, lang="zh"))


def test_without_events_a_clock_that_has_stood_has_no_start(town: Town) -> None:
    named = stopped_and_resumed(town)
    with opened(town.config, None) as books:
        record = find_incident(books.view, named)
        policy = Books(books.ledger)[record.decision.policy].policy
        events = [kept.value or b"" for kept in books.ledger.follow("events", -1, 100) if kept.key != "control"]
    resolve = next(each for each in explain_incident(policy, record).deadlines if each.name == "resolve")
    assert (resolve.start_at, resolve.stops, resolve.due_at) == (None, (), "2026-03-09T06:30:00.000Z")
    text = render(explain_incident(policy, record), policy, "en")
    assert "resolve, Township office (street-office@530001): due 2026-03-09 14:30 +08:00 - running" in text
    assert "5wh" not in text
    assert read_stories(events[1:]) != read_stories(events)  # what was never activated has no story


def test_how_each_clock_can_stand(town: Town, said: Said) -> None:
    named = town.report("r1", f"{FRIDAY} 16:00", "01")
    town.pass_until(f"{FRIDAY} 17:00")
    lines = said.text(named)
    assert lines[4].endswith("due 2026-03-06 16:30 +08:00 - OVERDUE")
    assert lines[5].endswith("due 2026-03-09 12:00 +08:00 - running")
    assert lines[6] == "  check, the centre: 2wh by works - starts when the work is done"
    town.act(named, f"{FRIDAY} 17:10", "acknowledge", "street-office")
    town.act(named, f"{FRIDAY} 17:20", "done", "street-office")
    lines = said.text(named)
    assert lines[4].endswith("LATE, 2026-03-06 17:10 +08:00")
    assert lines[5].endswith("the clock stands: reported done, awaits the check")
    assert (
        "    stands since 2026-03-06 17:20 +08:00 (reported done, awaits the check), 1 h 20 min used by then" in lines
    )


def test_several_budgets_and_the_earliest_counts(town: Town, said: Said) -> None:
    named = town.report("r1", f"{FRIDAY} 16:00", "01", whistle={"kind": "joint", "unit": "530001"})
    resolve = deadline(said.json(named), "resolve")
    assert [(offer["by"], offer["due_at"], offer.get("counts", False)) for offer in resolve["offers"]] == [
        ("works", "2026-03-09T04:00:00.000Z", False),
        ("quick", "2026-03-06T10:00:00.000Z", True),
    ]
    lines = said.text(named)
    at = lines.index("    2h (day and night), by quick, from 2026-03-06 16:00 +08:00")
    assert lines[at + 1].startswith("    beside it: 5wh (in the hours of office), by works, due 2026-03-09 ")
    assert lines[at + 2] == "    the earliest due at the start counts"
    assert "  quick: category 01; whistle joint (asked for: any)" in lines


def test_a_support_has_deadlines_of_its_own(town: Town, said: Said) -> None:
    named = town.report("r1", f"{FRIDAY} 16:00", "03", text="a strong smell of gas")
    lines = said.text(named)
    assert "support: Fire brigade (fire-brigade) (rescue), required, there within 15m, by gas.whistle" in lines
    assert "support: Township office (street-office@530001), by gas.whistle" in lines
    assert "severity: 1, raised from 2 by gas.smell" in lines
    assert "tags: whistle" in lines
    assert "  keywords: smell of gas" in lines
    attend = deadline(said.json(named), "attend")
    assert (attend["of"], attend["budget"], attend["by"]) == ("fire-brigade", "15m", "gas.whistle")
    assert [(offer["by"], offer.get("counts", False)) for offer in attend["offers"]] == [
        ("gas.whistle", True),
        ("gas", False),
    ]
    assert [line for line in lines if line.startswith("  resolve")] == [
        "  resolve, Gas company (gas-company): due 2026-03-06 20:00 +08:00 - running",
        "  resolve, Fire brigade (fire-brigade): due 2026-03-06 20:00 +08:00 - running",
        "  resolve, Gas company (gas-company)",
        "  resolve, Fire brigade (fire-brigade)",
    ]


@pytest.mark.parametrize(
    ("promised", "source", "due", "remarks"),
    [
        ("2026-03-06T18:00:00+08:00", "hotline", "2026-03-06 18:00", ["the earliest due at the start counts"]),
        (
            "2026-03-10T18:00:00+08:00",
            "hotline",
            "2026-03-09 12:00",
            [
                "beside it: the source (hotline) has promised 2026-03-10 18:00 +08:00",
                "the earliest due at the start counts",
            ],
        ),
        ("2026-03-08T18:00:00+08:00", "hotline", "2026-03-08 18:00", ["the earliest due at the start counts"]),
        (
            "2026-03-09T15:00:00+08:00",
            "app",
            "2026-03-09 15:00",
            ["this source may extend the deadline: its date counts"],
        ),
        (
            "2026-03-20T15:00:00+08:00",
            "app",
            "2026-03-09 16:00",
            [
                "this source may extend the deadline: its date counts",
                "it had promised 2026-03-20 15:00 +08:00: farther than it may extend the deadline",
            ],
        ),
    ],
)
def test_what_a_source_has_promised(
    town: Town, said: Said, promised: str, source: str, due: str, remarks: list[str]
) -> None:
    named = town.report("r1", f"{FRIDAY} 16:00", "01", source, promised_at=promised)
    lines = said.text(named)
    shown = next(line for line in lines if line.startswith("  resolve"))
    assert f"due {due} +08:00" in shown
    for remark in remarks:
        assert f"    {remark}" in lines


def test_a_limit_that_waits_for_its_standard(town: Town, said: Said) -> None:
    named = town.report("r1", f"{MONDAY} 09:00", "04")
    assert (
        "    1wh (in the hours of office), by standard, from 2026-03-09 09:00 +08:00"
        " (the strictest filing standard's, until one is filed)"
    ) in said.text(named)
    filed = town.report("r2", f"{MONDAY} 09:00", "04", standard="b")
    assert "  filing standard: b" in said.text(filed)
    assert "    5wh (in the hours of office), by standard, from 2026-03-09 09:00 +08:00" in said.text(filed)


def test_a_deadline_in_a_year_whose_holidays_nobody_knows(town: Town, said: Said) -> None:
    named = town.report("r1", "2039-03-07 09:00", "01")
    lines = said.text(named)
    assert any(line.endswith("(provisional: holidays of that year are not known yet)") for line in lines)
    assert any(line.endswith("（暂定，该年节假日尚未公布）") for line in said.text(named, lang="zh"))


ROUTES = {
    "only": ("01", {}, "route street is the only one that holds (priority 100)"),
    "priority": ("03", {}, "route gas won by priority: 900 over 100 of gas-any"),
    "category": (
        "01.02",
        {"location": {"lon": 114.025, "lat": 30.005}},
        (
            "route rubbish won over street by specificity, at the same priority 100:"
            " its category is deeper (2 levels to 1)"
        ),
    ),
    "cell": (
        "01.02",
        {},
        "route west won over rubbish by specificity, at the same priority 100: its cell is deeper (level 1 to 0)",
    ),
    "keys": (
        "01.03",
        {"severity": 1},
        "route stalls-c won over stalls-a by specificity, at the same priority 100: it has more conditions (2 to 1)",
    ),
    "order": (
        "01.03",
        {},
        "route stalls-a won over stalls-b by the order of the files: same priority 100, same specificity",
    ),
    "no_route": ("02", {}, "the fallback leads: no route holds"),
    "uncategorised": (
        "ghosts",
        {},
        "the fallback leads: the catalogue does not know 'ghosts', and no route holds without it",
    ),
    "unresolvable": (
        "01",
        {"location": None},
        "the fallback leads: route street holds, but this place does not have what it names",
    ),
    "guard": ("01", {"tags": ["odd"]}, "guard odd ended evaluation: left to the fallback"),
}


@pytest.mark.parametrize("case", ROUTES)
def test_who_won_and_by_what(town: Town, said: Said, case: str) -> None:
    category, fields, line = ROUTES[case]
    named = town.report("r1", f"{MONDAY} 09:00", category, **fields)
    lines = said.text(named)
    assert f"  {line}" in lines
    assert any("\u4e00" <= letter <= "\u9fff" for letter in said.text(named, lang="zh")[3])
    if case == "unresolvable":
        assert "not to be had at this place: street: street-office@township" in lines
    if case == "uncategorised":
        assert "  category: none; 'ghosts' is not in the catalogue" in lines


def test_what_nearly_held_and_the_one_fact(town: Town, said: Said) -> None:
    named = town.report("r1", f"{MONDAY} 09:00", "02", severity=2, attributes={"depth_m": 0.5, "public": True})
    lines = said.text(named)
    near = lines[lines.index("what nearly held") + 1 :]
    assert near[:2] == [
        "  water: attributes.depth_m: 0.5, wanted >=1",
        "  old: today is 2026-03-09, in force … to 2026-01-31",
    ]
    assert "  public: true" in lines
    east = town.report("r2", f"{MONDAY} 09:00", "03", location={"lon": 114.025, "lat": 30.005})
    assert "  gas: cell: 530002 > 530002001, must not be 530002" in said.text(east)
    west = town.report("r3", f"{MONDAY} 09:10", "03")
    assert "  gas: category 03; cell 530001 > 530001001, not 530002" in said.text(west)


def test_a_new_lead_by_the_centre_takes_the_clock_over(town: Town, said: Said) -> None:
    named = town.report("r1", f"{FRIDAY} 16:00", "01")
    town.act(named, f"{FRIDAY} 16:10", "acknowledge", "street-office")
    town.act(named, f"{FRIDAY} 17:00", "assign", "dispatcher", lead="water-bureau", reason_code="x")
    made = said.json(named)
    resolve = deadline(made, "resolve")
    assert (resolve["of"], resolve["start_at"]) == ("water-bureau", "2026-03-06T08:00:00.000Z")
    assert made["lead_now"] == "water-bureau"
    lines = said.text(named)
    assert "  now with 水务局 (water-bureau), assigned by the centre" in lines
    assert lines[1] == "lead: Township office (street-office@530001)"


def test_what_is_no_longer_owed(town: Town, said: Said) -> None:
    named = town.report("r1", f"{FRIDAY} 16:00", "03")
    town.act(named, f"{FRIDAY} 16:10", "assign", "dispatcher", lead="water-bureau")
    assert any(line.endswith("no longer owed since 2026-03-06 16:10 +08:00") for line in said.text(named))


def test_verification_comes_first_or_meanwhile(town: Town, said: Said) -> None:
    doubtful = town.report("r1", f"{MONDAY} 09:00", "01", "camera")
    lines = said.text(doubtful)
    assert "  to be verified first, until 2026-03-09 09:20 +08:00; its clocks start when it is filed" in lines
    assert "  resolve, lead: 5wh by works - starts when it is dispatched" in lines
    urgent = town.report("r2", f"{MONDAY} 09:00", "03", "camera")
    assert "  dispatched at once, to be verified meanwhile until 2026-03-09 09:30 +08:00" in said.text(urgent)


# --- reports nobody has sent ------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "report.json", report("new", f"{MONDAY} 09:00", "01"))


def write(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


AT = f"{MONDAY}T09:00:00+08:00"


def test_a_report_nobody_has_sent(town: Town, said: Said, file: Path) -> None:
    lines = said.text(file, at=AT)
    assert lines[:4] == [
        "what if: nothing was recorded; repeats and merging with open incidents are not looked at",
        "lead: Township office (street-office@530001)",
        "  because: territory",
        "  route street is the only one that holds (priority 100)",
    ]
    assert "  resolve, Township office (street-office@530001): due 2026-03-09 15:30 +08:00 - running" in lines
    assert f"  street [policy.yaml:{STREET_LINE}]: category 01" in lines
    made = said.json(file, at=AT)
    assert (made["hypothetical"], made.get("incident_id"), made.get("equal")) == (True, None, None)
    assert said.text(file, at=AT, lang="zh")[0] == "试算：未作任何记录；不查重复上报，也不考虑与未结案件合并"
    explained(town, file)  # as of now: it may be any day
    assert town.report("new", f"{MONDAY} 09:00", "01") == "hotline/new"  # which is still new to the ledger


def test_what_guards_would_do(town: Town, said: Said, tmp_path: Path) -> None:
    for tag, line in (
        ("exercise", "  guard drill ended evaluation: discarded, nobody is told"),
        ("later", "  guard wait ended evaluation: parked until the centre decides"),
    ):
        file = write(tmp_path / "report.json", report("new", f"{MONDAY} 09:00", "01", tags=[tag]))
        lines = said.text(file, at=AT)
        assert line in lines
        assert not any("running" in line for line in lines)
        assert any(line.startswith(("  drill", "  wait")) and "tags" in line for line in lines)


def test_in_another_mode(town: Town, said: Said, file: Path) -> None:
    (town.folder / "policy" / "policy.yaml").write_text(
        POLICY.replace('when: {category: ["01"]}, lead', 'when: {category: ["01"], mode: [emergency]}, lead'),
        encoding="utf-8",
    )
    ordinary, emergency = said.json(file, at=AT), said.json(file, at=AT, mode="emergency")
    assert ordinary["trace"]["decision"]["fallback"] == "no_route"
    assert emergency["trace"]["decision"]["route"] == "street"
    assert emergency["trace"]["facts"]["mode"] == "emergency"
    assert ordinary["policy"] == emergency["policy"]
    assert f"  street [policy.yaml:{STREET_LINE}]: mode: normal, wanted emergency" in said.text(file, at=AT)


@pytest.mark.parametrize(
    ("fields", "stage", "reason"),
    [
        ({"source": "ghost"}, 2, "unknown_source"),
        ({"source": "camera", "category": "ghosts"}, 2, "unknown_category"),
        ({"source": "camera", "location": {"lon": 10.0, "lat": 10.0}}, 2, "bad_location"),
        ({"source": "camera", "location": {"cell": "530009"}}, 2, "unknown_cell"),
        ({"reported_at": "2027-01-01T00:00:00Z"}, 1, "bad_time"),
        ({"category": 5}, 1, "wrong_type"),
    ],
)
def test_reports_that_would_be_rejected(
    town: Town, capsys: pytest.CaptureFixture[str], tmp_path: Path, fields: dict[str, Any], stage: int, reason: str
) -> None:
    file = write(tmp_path / "report.json", report("new", f"{MONDAY} 09:00", "01") | fields)
    with pytest.raises(SystemExit, match="1"):
        explained(town, file, at=AT)
    assert f"this report would be rejected: {reason}: " in capsys.readouterr().err
    with pytest.raises(SystemExit, match="1"):
        explained(town, file, at=AT, json=True)
    rejected = json.loads(capsys.readouterr().out)["rejected"]
    assert (rejected["stage"], rejected["reason"]) == (stage, reason)


@pytest.mark.parametrize(
    ("options", "words_said"),
    [
        ({"mode": "war", "at": AT}, "no mode war; the policy has normal, emergency"),
        ({"at": "yesterday"}, "--at takes an instant with its offset"),
        ({"at": "2026-03-09T09:00:00"}, "--at takes an instant with its offset"),
        ({"lang": "fr"}, "--lang takes zh or en, not fr"),
    ],
)
def test_options_that_cannot_be(
    town: Town, file: Path, capsys: pytest.CaptureFixture[str], options: dict[str, Any], words_said: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        explained(town, file, **options)
    assert words_said in capsys.readouterr().err


def test_an_incident_has_its_own_time_and_mode(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    named = town.report("r1", f"{MONDAY} 09:00", "01")
    for options in ({"at": AT}, {"mode": "normal"}):
        with pytest.raises(SystemExit, match="2"):
            explained(town, named, **options)
        assert "--at and --mode are for a report" in capsys.readouterr().err


# --- under another policy ---------------------------------------------------------------------------------------------


def candidate(town: Town, *changes: tuple[str, str]) -> Path:
    folder = town.folder / "candidate"
    folder.mkdir(exist_ok=True)
    text = POLICY
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "policy.yaml").write_text(text, encoding="utf-8")
    return folder


def test_the_difference_under_another_policy_is_said_first(town: Town, said: Said) -> None:
    named = town.report("r1", f"{FRIDAY} 16:00", "03")
    folder = candidate(
        town,
        ('lead: gas-company\n    sla: gas\n    reason: "gas plan §3.1"', "lead: fire-brigade\n    sla: day"),
        ("tags: [whistle]", "tags: [joint]"),
    )
    made = said.json(named, policy=str(folder))
    assert [(shift["what"], shift["before"], shift["after"]) for shift in made["shifts"]] == [
        ("lead", "gas-company", "fire-brigade"),
        ("support", "fire-brigade, street-office@530001", "street-office@530001"),
        ("sla", "gas", "day"),
        ("tags", "whistle", "joint"),
        ("reason", "gas plan §3.1", ""),
        ("due acknowledge gas-company", "2026-03-06T08:02:00.000Z", ""),
        ("due resolve gas-company", "2026-03-06T12:00:00.000Z", ""),
        ("due acknowledge fire-brigade", "2026-03-06T08:02:00.000Z", ""),
        ("due attend fire-brigade", "2026-03-06T08:15:00.000Z", ""),
        ("due resolve fire-brigade", "2026-03-06T12:00:00.000Z", "2026-03-07T08:00:00.000Z"),
        ("due acknowledge street-office@530001", "2026-03-06T08:02:00.000Z", ""),
    ]
    lines = said.text(named, policy=str(folder))
    assert lines[1].startswith("under policy town 1 (")
    assert lines[2:4] == [
        "  lead: gas-company -> fire-brigade",
        "  support: fire-brigade, street-office@530001 -> street-office@530001",
    ]
    assert "  due resolve fire-brigade: 2026-03-06 20:00 +08:00 -> 2026-03-07 16:00 +08:00" in lines
    assert "  reason: gas plan §3.1 -> none" in lines
    assert "  主办：gas-company → fire-brigade" in said.text(named, policy=str(folder), lang="zh")


def test_another_policy_that_decides_alike(town: Town, said: Said) -> None:
    named = stopped_and_resumed(town)
    folder = candidate(town, ('version: "1"', 'version: "2"'))
    lines = said.text(named, policy=str(folder))
    assert lines[2] == "  nothing would be different"
    assert said.json(named, policy=said.json(named)["policy"][:8]).get("shifts", []) == []


def test_another_policy_that_would_not_dispatch(town: Town, said: Said) -> None:
    named = town.report("r1", f"{FRIDAY} 16:00", "01", tags=["seen"])
    folder = candidate(town, ("tags: [later]", "tags: [seen]"))
    shifts = said.json(named, policy=str(folder))["shifts"]
    assert shifts[0] == {"what": "outcome", "before": "", "after": "park"}
    assert {shift["after"] for shift in shifts if shift["what"].startswith("due")} == {""}


# --- the recorded decision --------------------------------------------------------------------------------------------


def test_a_decision_that_is_not_the_recorded_one_is_told_and_is_an_error(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    import sqlite3

    named = town.report("r1", f"{MONDAY} 09:00", "01")
    town.close()
    with sqlite3.connect(town.ledger_path) as db:
        said = "CAST(replace(CAST(value AS TEXT), '\"severity_from\":3', '\"severity_from\":4') AS BLOB)"
        db.execute(f"UPDATE output SET value = {said} WHERE topic = 'events'")
    with pytest.raises(SystemExit, match="1"):
        explained(town, named)
    assert "THE DECISION COMPUTED AGAIN DIFFERS FROM THE RECORDED ONE (no. 1)" in capsys.readouterr().out


def test_no_such_incident(town: Town) -> None:
    with pytest.raises(LedgerError, match="no incident hotline/nothing"):
        explained(town, "hotline/nothing")


# --- words ------------------------------------------------------------------------------------------------------------


def test_both_languages_say_the_same_things() -> None:
    english, chinese = words.TEXTS["en"], words.TEXTS["zh"]
    assert list(english) == list(chinese)
    for key, text in english.items():
        names = [sorted(name for _, name, _, _ in Formatter().parse(each) if name) for each in (text, chinese[key])]
        assert names[0] == names[1], key


def test_every_word_of_the_closed_tables_is_there() -> None:
    from dispatcher.core.lifecycle import IncidentState
    from rules import PLACE_HOWS

    assert set(words.STATES) == set(IncidentState)
    assert set(words.HOWS) == set(PLACE_HOWS)
