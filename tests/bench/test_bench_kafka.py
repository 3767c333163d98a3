"""The bench of a worker on Kafka: small sizes on a real broker, and wrong answers that it must notice."""

import json
from pathlib import Path
from typing import Any

import pytest

import bench.kafka.runs
from bench.broker import Broker
from bench.kafka import __main__ as command
from bench.kafka.latency import judged
from bench.kafka.outputs import Outputs
from bench.kafka.rounds import Size
from bench.kafka.runs import Worked
from bench.town import Town

TINY = Size(rounds=1, reports=60, rates=(40,), rate_s=1, restored=100, rules=60, warm_up=20)


def run(broker: Broker, town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *more: str) -> int:
    monkeypatch.setattr(command, "QUICK", TINY)
    return command.main(["--quick", "--directory", str(tmp_path), *more], town, broker.bootstrap)


@pytest.mark.timeout(600)  # five processes and a broker, on machines that have other things to do
def test_every_run_is_made_and_checked_and_a_lost_order_fails_it(
    broker: Broker, town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    """One run for both: a lost order is planted in what is read back of the workers' run, and it is judged again."""
    kept: list[tuple[Any, ...]] = []
    original = bench.kafka.runs.check_outputs

    def check(*arguments: Any) -> None:
        kept.append(arguments)
        original(*arguments)

    monkeypatch.setattr(bench.kafka.runs, "check_outputs", check)
    file = tmp_path / "runs.jsonl"
    assert run(broker, town, tmp_path, monkeypatch, "--json", str(file)) == 0
    text = capsys.readouterr()
    line = json.loads(file.read_text())
    assert line["size"]["reports"] == 60
    assert {"aiokafka", "faust-streaming", "quixstreams"} <= line["versions"].keys()
    assert str(tmp_path) not in file.read_text()
    names = {row["name"] for row in line["rows"]}
    assert {"one worker: share of the pass-through", "plain Faust: reports a second"} <= names
    assert {"Quix Streams: reports a second", "one worker: times Quix Streams", "two workers: times one"} <= names
    assert all(row["without"] for row in line["rows"] if row["name"].startswith(("plain Faust", "Quix Streams")))
    assert all(name in text.out for name in names)
    assert "1 rounds of 60 reports, all answers checked" in text.out
    assert [what for what, *_ in kept] == ["one-0", "two-0", "plain Faust", "Quix Streams", "latency-0"]
    assert not [each for each in tmp_path.iterdir() if each != file]

    what, scene, ledger, outputs, expected = kept[0]
    for damage, said in ((lose_an_order, "offers"), (lose_an_event, "reports told"), (say_it_twice, "twice")):
        with pytest.raises(bench.kafka.runs.WrongAnswer, match=said):
            original(what, scene, ledger, damage(outputs), expected)


def lose_an_order(outputs: Outputs) -> Outputs:
    place = next(place for place, records in outputs.items() if place[0].startswith("dept.") and records)
    return outputs | {place: outputs[place][1:]}


def lose_an_event(outputs: Outputs) -> Outputs:
    place = next(place for place, records in outputs.items() if place[0] == "events" and len(records) > 1)
    return outputs | {place: outputs[place][:-1]}


def say_it_twice(outputs: Outputs) -> Outputs:
    place = next(place for place, records in outputs.items() if place[0] == "events" and len(records) > 1)
    return outputs | {place: [*outputs[place], outputs[place][-1]]}


@pytest.mark.timeout(600)
def test_a_wrong_answer_ends_the_run_with_one(
    broker: Broker, town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    original = bench.kafka.runs.read_outputs

    async def read_outputs(ledger: Any) -> Outputs:
        return lose_an_order(await original(ledger))

    monkeypatch.setattr(bench.kafka.runs, "read_outputs", read_outputs)
    assert run(broker, town, tmp_path, monkeypatch) == 1
    text = capsys.readouterr()
    assert "wrong answer: one-0" in text.err
    assert text.out == ""


def test_a_latency_counts_from_when_a_report_was_due():
    due = {b"%d" % n: n / 100 for n in range(1_000)}
    seen = {key: at_s + 0.05 for key, at_s in due.items()}
    slow = judged(due, seen | {b"999": 9.99 + 3}, 100, 10, 0)
    assert slow.kept_up  # one of 250
    assert (round(slow.p50_ms or 0), round(slow.p99_ms or 0)) == (50, 50)
    stalled = {key: max(at_s, 12.0) for key, at_s in seen.items()}
    assert not judged(due, stalled, 100, 10, 0).kept_up
    assert not judged(due, {}, 100, 10, 0).kept_up


def test_the_figure_of_a_run_counts_its_transactions():
    worked = Worked(1.0, {}, bench.kafka.runs.Recording([], [[], [1, 2], [3]]))  # type: ignore[list-item]
    assert worked.commits == 3
