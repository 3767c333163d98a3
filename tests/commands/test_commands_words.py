"""What commands say: results, errors with the next step, exit codes."""

import csv
import io
import json
import re
from pathlib import Path

import pytest

from dispatcher.commands import incident
from tests.acceptance.command_line import dispatcher, replay


@pytest.fixture(scope="module")
def config(nyc: Path) -> Path:
    return nyc / "config.yaml"


@pytest.fixture(scope="module")
def ledger(nyc: Path, config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("words") / "nyc.db"
    replay(config, made, nyc / "reports.csv", mapping=nyc / "mapping.yaml")
    return made


def test_explain_in_both_languages_and_json(config: Path, ledger: Path) -> None:
    named = ("explain", "nyc-311/39573567", "--ledger", str(ledger))
    english = dispatcher(*named, config=config).stdout
    chinese = dispatcher(*named, "--lang", "zh", config=config).stdout
    made = json.loads(dispatcher(*named, "--json", config=config).stdout)
    assert "lead: Police Department (nypd)" in english
    assert "the decision computed again equals the recorded one" in english
    assert "主办：警察局（nypd）" in chinese
    assert "一致" in chinese
    assert made["equal"] is True
    assert made["trace"]["decision"]["lead"]["department"] == "nypd"
    resolve = next(deadline for deadline in made["deadlines"] if deadline["name"] == "resolve")
    assert resolve["by"] == "promise:nyc-311"


def test_explain_a_report_before_it_is_sent(config: Path, tmp_path: Path) -> None:
    report = {"report_id": "1", "source": "nyc-311", "reported_at": "2026-01-01T00:00:00Z", "category": "Rodent",
              "location": {"lon": -73.98, "lat": 40.75}}  # fmt: skip
    file = tmp_path / "report.json"
    file.write_text(json.dumps(report), encoding="utf-8")
    said = dispatcher("explain", str(file), config=config).stdout
    assert "place: 1 > 106 (exact)" in said
    assert "(dohmh)" in said.splitlines()[1]
    file.write_text("{", encoding="utf-8")
    assert "not_json" in dispatcher("explain", str(file), config=config, check=False).stderr


def test_incident(config: Path, ledger: Path) -> None:
    said = dispatcher("incident", "nyc-311/39573567", "--ledger", str(ledger), config=config).stdout
    for word in ("assignments", "targets", "history", "nypd", "closed"):
        assert word in said
    chinese = dispatcher("incident", "nyc-311/39573567", "--ledger", str(ledger), "--lang", "zh", config=config).stdout
    for word in ("派单", "时限", "经过", "nypd", "上报（1）：nyc-311/39573567", "类别"):
        assert word in chinese
    assert chinese.count("\n") == said.count("\n")  # nothing is left out in either
    made = json.loads(
        dispatcher("incident", "nyc-311/39573567", "--ledger", str(ledger), "--json", config=config).stdout
    )
    again = json.loads(
        dispatcher("incident", made["incident_id"], "--ledger", str(ledger), "--json", config=config).stdout
    )
    assert made == again


def test_an_incident_has_the_same_headings_in_both_languages() -> None:
    for words in (incident._WORDS, incident._HEADINGS):
        assert words["en"].keys() == words["zh"].keys()
    for name, columns in incident._HEADINGS["en"].items():
        assert len(incident._HEADINGS["zh"][name]) == len(columns), name
    for word, said in incident._WORDS["en"].items():
        assert sorted(re.findall(r"\{\w+\}", incident._WORDS["zh"][word])) == sorted(re.findall(r"\{\w+\}", said)), word


def test_kpi_forms_agree(config: Path, ledger: Path) -> None:
    where = ("--ledger", str(ledger), "--by", "department")
    as_json = json.loads(dispatcher("kpi", *where, "--json", config=config).stdout)
    as_csv = list(csv.reader(io.StringIO(dispatcher("kpi", *where, "--csv", config=config).stdout)))
    table = dispatcher("kpi", *where, config=config).stdout
    assert as_json["total"]["terms"]["received"] == 1_000
    assert len(as_csv) >= len(as_json["groups"]) + 1
    assert "986" in table
    assert "办结率" in dispatcher("kpi", *where, "--lang", "zh", config=config).stdout


def test_kpi_of_a_month(config: Path, ledger: Path) -> None:
    month = dispatcher("kpi", "--ledger", str(ledger), "--filed", "2018-10", "--json", config=config).stdout
    year = dispatcher("kpi", "--ledger", str(ledger), "--filed", "2018-01..2018-12", "--json", config=config).stdout
    assert 0 < json.loads(month)["total"]["terms"]["filed"] < json.loads(year)["total"]["terms"]["filed"]


def test_locate(config: Path) -> None:
    found = json.loads(dispatcher("locate", "-73.98", "40.75", "--json", config=config).stdout)
    assert found["path"] == ["1", "106"]
    swapped = dispatcher("locate", "40.75", "-73.98", config=config, check=False)
    assert swapped.returncode == 1
    assert "swapped" in swapped.stdout


def test_grid_check(config: Path, tmp_path: Path) -> None:
    made = json.loads(dispatcher("grid", "check", "--json", config=config).stdout)
    assert made["levels"] == [5, 71]
    overhang = sum(w["area_m2"] for w in made["warnings"] if w["kind"] == "overhang")
    assert 3_800_000 < overhang < 3_950_000
    broken = tmp_path / "grid.json"
    broken.write_text('{"type": "FeatureCollection", "features": [{"type": "Feature"}]}', encoding="utf-8")
    assert dispatcher("grid", "check", str(broken), config=config, check=False).returncode == 1


def test_doctor(config: Path, ledger: Path, tmp_path: Path) -> None:
    assert dispatcher("doctor", "--ledger", str(ledger), config=config).stdout.count("ok") >= 7
    broken = tmp_path / "config.yaml"
    broken.write_text("policy: nowhere\ngrid: nowhere.json\n", encoding="utf-8")
    done = dispatcher("doctor", config=broken, check=False)
    assert done.returncode == 1
    assert done.stdout.count("WRONG") == 2


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("incident", "nope"), 1, "no incident nope"),
        (("export", "nope"), 1, "no records on nope"),
        (("kpi", "--by", "weather"), 2, "--by takes"),
        (("kpi", "--filed", "soon"), 2, "is no period"),
        (("kpi", "--filed", "2018", "--due", "2018"), 2, "choose one"),
        (("explain", "x", "--lang", "fr"), 2, "zh or en"),
        (("incident", "x", "--lang", "fr"), 2, "zh or en"),
        (("append", "dept.nypd"), 2, "not an input topic"),
        (("locate", "1", "2", "--crs", "mars"), 2, "--crs takes"),
        (("nonsense",), 2, "No such command"),
    ],
)
def test_errors_say_what_and_what_next(
    config: Path, ledger: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    where = () if arguments[0] in ("nonsense", "locate") else ("--ledger", str(ledger))
    done = dispatcher(*arguments, *where, config=config, check=False, stdin=b"")
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_no_ledger_yet(config: Path, tmp_path: Path) -> None:
    done = dispatcher("kpi", "--ledger", str(tmp_path / "none.db"), config=config, check=False)
    assert done.returncode == 1
    assert "dispatcher replay" in done.stderr


def test_a_wrong_policy_starts_nothing(nyc: Path, tmp_path: Path) -> None:
    policy = tmp_path / "policy"
    policy.mkdir()
    (policy / "policy.yaml").write_text("name: x\nversion: 1\nsurprise: yes\n", encoding="utf-8")
    config = tmp_path / "config.yaml"
    config.write_text(f"policy: policy\ngrid: {nyc / 'grid.geojson'}\n", encoding="utf-8")
    done = dispatcher("run", config=config, check=False)
    assert done.returncode == 1
    assert "policy.yaml:3:1" in done.stderr
    assert "nothing was started" in done.stderr


def test_the_audit_finds_a_changed_record(config: Path, ledger: Path, tmp_path: Path) -> None:
    import shutil
    import sqlite3

    other = tmp_path / "changed.db"
    shutil.copy(ledger, other)
    with sqlite3.connect(other) as db:
        db.execute(
            "UPDATE output SET value = replace(CAST(value AS TEXT), 'offer', 'offfer')"
            " WHERE seq = (SELECT min(seq) FROM output WHERE topic = 'dept.nypd')"
        )
        db.execute("DELETE FROM output WHERE seq = (SELECT max(seq) FROM output WHERE topic = 'events')")
    done = dispatcher("audit", "--ledger", str(other), "--json", config=config, check=False)
    assert done.returncode == 1
    wrong = {finding["check"] for finding in json.loads(done.stdout) if finding["wrong"]}
    assert {"dept.nypd: records recomputed", "events: records recomputed"} <= wrong
