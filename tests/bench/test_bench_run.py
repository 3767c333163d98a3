import json
import platform
import signal
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import bench.rounds
from bench import __main__ as command
from bench.answers import Answers, WrongAnswer, check, check_same
from bench.core import CoreDriver, Setting
from bench.policy import CATEGORIES, policy_files
from bench.rounds import Size
from bench.sampling import sampled
from bench.stopwatch import Stopwatch
from bench.table import BUDGETS, Budget, Row, format_table, rows_of
from bench.town import Town
from bench.workload import START_MS, as_backlog, city_day
from dispatcher.core import Outcome, Position, Rulebook
from dispatcher.core.prepared import Prepared
from dispatcher.core.publish import Publisher
from dispatcher.ledger.sqlite import SqliteLedger
from geo import Locator
from rules import Decider, Decision, Facts, WorkingClock, decide_plainly, load_policy

TINY = Size(rounds=2, reports=300, points=500, rules=60, other_rules=(20,), paused_incidents=400)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, town: Town):
    """The real bench on sizes that take a second, in the city that is there already."""
    monkeypatch.setattr(bench.rounds, "Town", lambda _seed: town)
    monkeypatch.setattr(command, "QUICK", TINY)


@pytest.fixture(scope="session")
def setting(town: Town) -> Setting:
    return Setting(town, load_policy(policy_files(town.grid, 60, 1)), city_day(town, 300, 1))


def run(tmp_path: Path, *more: str) -> int:
    return command.main(["--quick", "--directory", str(tmp_path / "disk"), *more])


def test_the_bench_prints_every_row_and_appends_a_line(tmp_path: Path, capsys: pytest.CaptureFixture):
    file = tmp_path / "runs.jsonl"
    assert run(tmp_path, "--json", str(file)) == 0
    assert run(tmp_path, "--json", str(file), "--rounds", "1", "--reports", "200") == 0
    text = capsys.readouterr()
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["size"]["rounds"] for line in lines] == [2, 1]
    assert [line["size"]["reports"] for line in lines] == [300, 200]
    names = {row["name"] for row in lines[0]["rows"]}
    sized = {name for name in BUDGETS if "1,000 rules" in name or "200,000" in name}  # of the full size only
    assert set(BUDGETS) - sized <= names
    for name in names:
        assert name in text.out
    for row in lines[0]["rows"]:
        assert 0 <= row["min"] <= row["median"] <= row["max"]
        assert (row["met"] is None) == (row["budget"] is None)
    assert "2 rounds of 300 reports, all answers checked" in text.out
    assert "round 2 of 2: embedded" in text.err
    assert list((tmp_path / "disk").iterdir()) == []


def test_a_line_names_what_was_measured_and_nobody(tmp_path: Path):
    file = tmp_path / "runs.jsonl"
    assert run(tmp_path, "--json", str(file), "--rounds", "1") == 0
    text = file.read_text()
    line = json.loads(text)
    assert {"python", "sqlite", "msgspec", "shapely", "city-dispatch"} <= line["versions"].keys()
    assert line["machine"]["cores"] >= 1
    assert line["commit"] is None or len(line["commit"].rstrip("+")) == 40
    assert str(tmp_path) not in text
    assert str(Path.cwd()) not in text
    assert platform.node() not in line["machine"].values()


def lost_order(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Publisher.emit

    def emit(self: Publisher, topic: str, key: str, at_ms: int, value: bytes) -> None:
        if not (topic.startswith("dept.") and key.endswith("00017")):
            original(self, topic, key, at_ms, value)

    monkeypatch.setattr(Publisher, "emit", emit)


def lost_department(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Prepared.__init__

    def prepare(self: Prepared, book: Rulebook, decision: Decision) -> None:
        original(self, book, decision)
        self.parts = self.parts[:1]

    monkeypatch.setattr(Prepared, "__init__", prepare)


def wrong_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Locator.locate

    def locate(self, *columns):
        found = original(self, *columns)
        found.cell[::50] = found.cell[0]
        return found

    monkeypatch.setattr(Locator, "locate", locate)


def wrong_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Decider.decide
    answers = []

    def decide(self, facts):
        answers.append(original(self, facts))
        return answers[-1] if len(answers) % 3 else answers[0]

    monkeypatch.setattr(Decider, "decide", decide)


def lost_incident(monkeypatch: pytest.MonkeyPatch) -> None:
    original = Publisher.settle

    def settle(self: Publisher) -> None:
        self.dirty.pop(next(iter(self.dirty), ""), None)
        original(self)

    monkeypatch.setattr(Publisher, "settle", settle)


def taken_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dispatcher.core.repeats.Repeats.seen", lambda *_: None)


def lost_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    original = SqliteLedger.commit

    def commit(self, owner, outcome, expected, also=None) -> None:
        original(self, owner, outcome._replace(records=outcome.records[:-1]), expected, also)

    monkeypatch.setattr(SqliteLedger, "commit", commit)


def unlike_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    original, numbers = Publisher.emit, iter(range(10**9))

    def emit(self: Publisher, topic: str, key: str, at_ms: int, value: bytes) -> None:
        original(self, topic, key, at_ms, value if topic != "routed" else b"%d" % next(numbers))

    monkeypatch.setattr(Publisher, "emit", emit)


def slow_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    original = WorkingClock.consumed
    monkeypatch.setattr(WorkingClock, "consumed", lambda self, a, b: original(self, a, b) + (b - a) % 7)


@pytest.mark.parametrize(
    "fault",
    [
        lost_order,
        lost_department,
        wrong_cell,
        wrong_decision,
        lost_incident,
        taken_twice,
        lost_on_disk,
        unlike_itself,
        slow_clock,
    ],
)
def test_a_wrong_answer_fails_the_run(fault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    fault(monkeypatch)
    assert run(tmp_path, "--rounds", "1") == 1
    text = capsys.readouterr()
    assert "wrong answer: " in text.err
    assert text.out == ""


def test_a_day_with_other_expectations_is_refused(setting: Setting):
    driver = CoreDriver(setting)
    driver.take(as_backlog(setting.day)[0])
    expected = setting.day.expected
    check(driver.answers, driver.engine, expected, updated=False)
    with pytest.raises(WrongAnswer, match="reports_accepted"):
        check(
            driver.answers,
            driver.engine,
            expected._replace(counts=expected.counts | {"reports_accepted": 1}),
            updated=False,
        )
    with pytest.raises(WrongAnswer, match="updates_accepted"):
        check(driver.answers, driver.engine, expected, updated=True)


def test_different_outputs_of_one_input_are_refused():
    check_same("a", ["x", "x"])
    with pytest.raises(WrongAnswer, match="2 different outputs"):
        check_same("a", ["x", "y", "x"])


def test_a_digest_sees_order_within_a_topic_and_the_newest_of_a_key():
    def digest(*records: tuple[str, str, int, bytes], newest: dict | None = None) -> str:
        answers = Answers()
        answers.add(Outcome(Position(), 0, list(records), newest or {}, Counter(), 0))
        return answers.digest()

    a, b, other = ("events", "1", 5, b"x"), ("events", "2", 5, b"y"), ("dept.fire", "1", 5, b"z")
    assert digest(a, b) != digest(b, a)
    assert digest(a, other) == digest(other, a)
    assert digest(newest={("state", "k"): b"1"}) != digest(newest={("state", "k"): b"2"})
    assert digest(newest={("state", "k"): None}) == digest()


class Work:
    now_ns = 0  # on a clock that goes on while there is work and not otherwise

    def outer(self) -> None:
        Work.now_ns += 10
        self.inner()
        Work.now_ns += 1
        self.inner()

    def inner(self) -> None:
        Work.now_ns += 100


def test_phases_share_out_the_time_and_are_put_back(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bench.stopwatch.perf_counter_ns", lambda: Work.now_ns)
    before = Work.outer, Work.inner
    watch = Stopwatch()
    with watch.around({f"{__name__}:Work.outer": "outer", f"{__name__}:Work.inner": "inner"}):
        for _ in range(10):
            Work().outer()
    assert (Work.outer, Work.inner) == before
    assert watch.ns == {"outer": 110, "inner": 2_000}
    with pytest.raises(AttributeError), watch.around({f"{__name__}:Work.gone": "x"}):
        pass
    with pytest.raises(AttributeError), watch.around({f"{__name__}:Work.outer": "x", f"{__name__}:Work.gone": "x"}):
        pass
    assert Work.outer is before[0]


def test_sampling_charges_the_files_that_run_and_leaves_the_timer_alone(setting: Setting, town: Town):
    before = signal.getsignal(signal.SIGPROF)
    lon, lat, _ = town.positions(np.random.default_rng(1), 1_000)
    with sampled() as spent_ns:
        for _ in range(30):
            town.locator.locate(lon, lat)
    assert spent_ns["locate"] > 0.8 * spent_ns.total() > 0
    with sampled() as spent_ns:
        for number in range(300):
            decide_plainly(setting.policy, facts(number))
    assert spent_ns["decide"] > 0.8 * spent_ns.total() > 0
    assert signal.getsignal(signal.SIGPROF) == before
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)


def facts(number: int) -> Facts:
    category = CATEGORIES[number % len(CATEGORIES)]
    return Facts(category, 2, "normal", (), "hotline", "people", START_MS + number * 60_000)


def test_the_table_says_which_budget_is_met_by_the_median():
    rows = [
        Row("fast", "µs", [3.0, 1.0, 9.0], Budget(3)),
        Row("slow", "µs", [3.1, 9.0, 3.2], Budget(3)),
        Row("many", "1/s", [12_345.0], Budget(10_000, at_most=False)),
        Row("free", "B", [50.0]),
    ]
    assert [row.met for row in rows] == [True, False, True, None]
    text = format_table(rows).splitlines()
    assert text[2].split() == ["fast", "µs", "1.00", "3.00", "9.00", "≤", "3.00", "yes"]
    assert text[3].split()[-1] == "NO"
    assert text[4].split() == ["many", "1/s", "12,345", "12,345", "12,345", "≥", "10,000", "yes"]
    assert text[5].split() == ["free", "B", "50.0", "50.0", "50.0"]


def test_ratios_to_rivals_come_first_and_one_that_is_lost_is_a_row():
    samples = {("fly: ours", "µs"): [2.0], ("fly: wasp", "µs"): [1.0], ("fly: times wasp", "×"): [0.5]}
    rows = rows_of(samples, without={"fly: wasp": "honey"})
    assert [row.name for row in rows] == ["fly: times wasp", "fly: ours", "fly: wasp"]
    assert [row.met for row in rows] == [False, None, None]
    text = format_table(rows).splitlines()
    assert text[2].split()[-1] == "NO"
    assert text[3].endswith("2.00")
    assert text[4].endswith("without: honey")


@pytest.mark.parametrize("arguments", [["--rounds", "0"], ["--reports", "-3"], ["--rounds", "x"]])
def test_sizes_are_positive(arguments: list[str], capsys: pytest.CaptureFixture):
    with pytest.raises(SystemExit):
        command.main(arguments)
    assert "error" in capsys.readouterr().err
