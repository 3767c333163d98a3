"""The README's figures are those of the runs that are kept; a whole run replaces them, or nothing does."""

from pathlib import Path

import orjson
import pytest

from bench import full, readme


def line(bench: str, rows: dict[str, tuple[str, float, bool | None]], **size: object) -> bytes:
    made = [
        {"name": name, "unit": unit, "min": figure / 2, "median": figure, "max": figure * 2, "rounds": 5}
        | {"budget": None, "met": met, "without": "timers" if name == "plain Faust: reports a second" else ""}
        for name, (unit, figure, met) in rows.items()
    ]
    machine = {"processor": "Abacus", "cores": 2, "load": 3.5}
    return orjson.dumps(
        {"bench": bench, "commit": "c" * 40 + "+", "machine": machine, "size": {"rounds": 5, **size}, "rows": made}
    )


@pytest.fixture
def gateway() -> bytes:
    rows = {name: ("1/s", 1_000.0, None) for bench, name, _ in readme.PROMISED if bench == "gateway"}
    return line("gateway", rows)


@pytest.fixture
def kafka() -> bytes:
    rows = {name: ("1/s", 2_000.0, False) for bench, name, _ in readme.PROMISED if bench == "kafka"}
    for bench, _, rival, figure, ratio in readme.RIVALS:
        if bench == "kafka":
            rows[figure] = ("1/s", 500.0, None)
            rows[ratio] = ("×", 4.0 if rival == "plain Faust" else 0.8, rival == "plain Faust")
    return line("kafka", rows)


def test_the_readme_holds_what_is_made_of_the_runs_kept():
    kept = readme.README.read_text(encoding="utf-8")
    made = readme.figures(readme.RUNS.read_bytes().splitlines())
    assert readme.with_figures(kept, made) == kept, "run python -m bench.readme"
    assert "| what | beside |" in made


def test_rivals_come_first_and_what_we_lose_is_said(gateway: bytes, kafka: bytes):
    made = readme.figures([gateway, kafka])
    assert made.index("plain Faust") < made.index("reports over HTTP")
    assert "| plain Faust | 500/s (250 to 1,000) | 4.00 × (2.00 to 8.00) | timers |" in made
    assert "0.80 × (0.40 to 1.60) **(we lose)** | nothing |" in made
    assert "| one worker on Kafka | 2,000/s (1,000 to 4,000) |  | no |" in made
    assert "`kafka`: 5 rounds at ccccccccc+, 2 cores of Abacus, busy with other work (load 3.5)" in made
    assert "a point to its cell" not in made  # of a bench that is not there


def test_the_newest_line_counts_and_a_row_that_is_gone_is_an_error(gateway: bytes):
    newer = gateway.replace(b'"median":1000.0', b'"median":1234.0')
    assert "1,234/s" in readme.figures([gateway, newer])
    assert "1,234/s" not in readme.figures([newer, gateway])
    with pytest.raises(KeyError, match="gateway has no row"):
        readme.figures([line("gateway", {})])
    with pytest.raises(ValueError, match="no <!-- figures"):
        readme.with_figures("a README without a place for them", "x")


def test_growth_is_told_as_times_the_smallest():
    sizes = {"incidents": (10, 100, 300), "rules": (1, 2), "cells": (5, 50)}
    rows: dict[str, tuple[str, float, bool | None]] = {}
    for what in readme.GROWN:
        smallest, *larger = sizes[what.removeprefix("open ")]
        rows[f"growth: {smallest:,} {what}"] = ("µs", 90.0, None)
        rows |= {f"growth: {n:,} over {smallest:,} {what}": ("×", 1.0 + n / 1_000, None) for n in larger}
    made = readme.figures([line("growth", rows, **sizes)])
    assert "| open incidents | 10 | 90.0 µs (45.0 to 180) | 100: 1.10 × (0.55 to 2.20); 300: 1.30 ×" in made


def test_a_whole_run_replaces_what_is_kept_or_nothing_does(
    tmp_path: Path, gateway: bytes, kafka: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    runs, page = tmp_path / "runs.jsonl", tmp_path / "README.md"
    runs.write_bytes(b"old\n")
    page.write_text(f"before\n{readme.BEGIN}old\n{readme.END}after\n")
    answers = {"bench.gateway": gateway, "bench.kafka": kafka}
    monkeypatch.setattr(full, "BENCHES", tuple(answers))

    def ran(module: str, more: list[str]) -> bool:
        with Path(more[more.index("--json") + 1]).open("ab") as lines:
            lines.write(answers[module] + b"\n")
        return module != failing

    monkeypatch.setattr(full, "_ran", ran)
    arguments = ["--quick", "--runs", str(runs), "--readme", str(page), "--directory", str(tmp_path)]
    failing = "bench.kafka"
    assert full.main(arguments) == 1
    assert "bench.kafka failed" in capsys.readouterr().err
    assert (runs.read_bytes(), "old" in page.read_text()) == (b"old\n", True)
    failing = ""
    assert full.main(arguments) == 0
    assert runs.read_bytes().splitlines() == [gateway, kafka]
    text = page.read_text()
    assert text.startswith("before\n" + readme.BEGIN)
    assert text.endswith(readme.END + "after\n")
    assert "plain Faust" in text
