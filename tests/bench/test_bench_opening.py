"""The written-out way to open an incident must stay worth its lines."""

import statistics
from collections.abc import Sequence

import orjson
import pytest

from bench.core import CoreDriver, Setting
from bench.policy import policy_files
from bench.town import Town
from bench.workload import Sent, as_backlog, city_day
from dispatcher.core import admit
from rules import load_policy

ROUNDS, REPORTS, TIMES = 9, 300, 1.15


def usual_ones(setting: Setting, reports: Sequence[Sent], monkeypatch: pytest.MonkeyPatch) -> list[Sent]:
    """Those of the reports that are opened the written-out way."""
    written_out, ids = admit.open_at_once, set[str]()

    def noted(turn, book, work, *given):
        ids.add(work.report.report_id)
        written_out(turn, book, work, *given)

    with monkeypatch.context() as patch:
        patch.setattr(admit, "open_at_once", noted)
        CoreDriver(setting).take(reports)
    return [sent for sent in reports if any(each in ids for each in _ids(sent.value))]


def _ids(value: bytes) -> list[str]:
    try:
        return [orjson.loads(value)["report_id"]]
    except (ValueError, KeyError, TypeError):
        return []


def test_written_out_it_takes_less_time_than_step_by_step(
    town: Town, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """The same reports to two engines, turn about; processor time of the whole core, median ratio of nine rounds."""
    policy = load_policy(policy_files(town.grid, 100, 1))
    setting = Setting(town, policy, city_day(town, 2 * REPORTS * (ROUNDS + 1), 1))
    reports = usual_ones(setting, as_backlog(setting.day)[0], monkeypatch)
    assert len(reports) >= REPORTS * (ROUNDS + 1)
    drivers = {True: CoreDriver(setting), False: CoreDriver(setting)}
    spent_ns: dict[bool, list[int]] = {True: [], False: []}
    is_usual = admit.is_usual
    for round_number in range(ROUNDS + 1):
        sent = reports[round_number * REPORTS : (round_number + 1) * REPORTS]
        for written_out, driver in drivers.items():
            monkeypatch.setattr(admit, "is_usual", is_usual if written_out else lambda *_: False)
            taken = driver.take(sent)
            if round_number:  # the first meets everything for the first time
                spent_ns[written_out].append(sum(taken.batch_ns))
    assert drivers[True].answers.digest() == drivers[False].answers.digest()
    times = statistics.median([slow / fast for slow, fast in zip(spent_ns[False], spent_ns[True], strict=True)])
    with capsys.disabled():
        print(f"\nopening: step by step takes {times:.2f} times as long as the written-out one")
    assert times > TIMES
