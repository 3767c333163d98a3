"""`make demo` checks itself: right on what is shipped, and wrong is noticed."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def demo(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(folder / "demo.py")], capture_output=True, text=True, timeout=240)


@pytest.fixture
def copy(nyc: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "examples" / "nyc"
    shutil.copytree(nyc, folder)
    return folder


def test_the_demo_is_right(nyc: Path, copy: Path) -> None:
    done = demo(copy)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("ok   ") == 4
    readme = (nyc.parent.parent / "README.md").read_text(encoding="utf-8")
    shown = readme.partition("<!-- demo-output -->")[2].split("```")[1].strip().splitlines()
    assert shown == [line for line in done.stdout.splitlines() if line.startswith(("ok ", "WRONG"))]


def test_a_wrong_lead_is_noticed(copy: Path) -> None:
    route = copy / "policy" / "routes" / "nypd.yaml"
    route.write_text(route.read_text(encoding="utf-8").replace("lead: nypd", "lead: dot"), encoding="utf-8")
    done = demo(copy)
    assert done.returncode == 1
    assert "WRONG lead is the agency of record" in done.stdout


def test_a_wrong_place_is_noticed(copy: Path) -> None:
    mapping = copy / "mapping.yaml"
    text = mapping.read_text(encoding="utf-8").replace("[Latitude, latitude]", "{value: 40.75}")
    mapping.write_text(text, encoding="utf-8")
    done = demo(copy)
    assert done.returncode == 1
    assert "WRONG located" in done.stdout


def test_a_wrong_deadline_is_noticed(copy: Path) -> None:
    mapping = copy / "mapping.yaml"
    text = mapping.read_text(encoding="utf-8").replace("[Closed Date, closed_date]", "[Created Date]")
    mapping.write_text(text, encoding="utf-8")
    done = demo(copy)
    assert done.returncode == 1
    assert "WRONG closed on time" in done.stdout
