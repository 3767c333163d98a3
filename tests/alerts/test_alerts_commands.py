"""`dispatcher alerts propose` on the examples that are shipped, and on files that are none."""

import json
import shlex
from pathlib import Path

import pytest
from alerts_cases import alert, area, info
from click.testing import Result
from typer.testing import CliRunner

from dispatcher.__main__ import app
from tests.acceptance.command_line import dispatcher

ROOT = Path(__file__).parent.parent.parent
ALERTS = ROOT / "examples" / "city" / "alerts"


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The made-up town, with a ledger of its own."""
    path = tmp_path_factory.mktemp("town") / "config.yaml"
    made = {"policy": str(ROOT / "rules" / "city"), "grid": str(ROOT / "examples" / "city" / "grid.geojson")}
    path.write_text(json.dumps(made | {"ledger": "city.db"}), encoding="utf-8")
    return path


def say(config: Path, *arguments: str, stdin: bytes | None = None) -> Result:
    """The command line in this process: starting one takes longer than all it does."""
    return CliRunner().invoke(app, ["-c", str(config), "alerts", "propose", *arguments], input=stdin)


def test_red_alert_and_its_cancel(config: Path) -> None:
    red = str(ALERTS / "rainstorm-red.xml")
    done = say(config, red, "--as-of", "2026-07-20T18:40:00+08:00", "--json")
    found = json.loads(done.stdout)
    assert (found["outcome"], found["mode"]) == ("proposal", "emergency")
    assert (found["from"], found["until"]) == ("2026-07-20T11:00:00.000Z", "2026-07-20T17:00:00.000Z")
    assert "530003001" in found["cells"]
    assert len(found["cells"]) > 1
    (line,) = found["confirm"]
    words = shlex.split(line)
    assert words[:5] == ["dispatcher", "mode", "set", "emergency", "--cells"]
    assert dict(zip(words[4::2], words[5::2], strict=True)) == {
        "--cells": ",".join(found["cells"]), "--until": found["until"], "--reason": found["reason"],
        "--proposal": found["proposal_id"],
    }  # fmt: skip
    shown = say(config, red, "--as-of", "2026-07-20T18:40:00+08:00", "--lang", "zh").stdout
    assert line in shown
    assert "自 2026-07-20 19:00+08:00 至 2026-07-21 01:00+08:00" in shown
    ended = json.loads(say(config, str(ALERTS / "rainstorm-cancel.xml"), "--json").stdout)
    assert ended["outcome"] == "ending"
    assert ended["proposal_ids"] == [found["proposal_id"]]
    shown = say(config, str(ALERTS / "rainstorm-cancel.xml")).stdout
    assert f"dispatcher mode end --proposal {found['proposal_id']} --reason" in shown


def test_exercise_and_expired_propose_nothing(config: Path) -> None:
    done = say(config, str(ALERTS / "flood-exercise.xml"), "--as-of", "2026-05-12T15:00:00+08:00", "--json")
    assert json.loads(done.stdout) == {"outcome": "nothing", "reason": "not_actual", "detail": "Exercise"}
    assert done.exit_code == 0
    late = say(config, str(ALERTS / "rainstorm-red.xml"), "--as-of", "2026-08-01T00:00:00+08:00")
    assert late.stdout == "nothing is proposed: it has expired\n"


def test_an_alert_cannot_add_to_the_command_line(config: Path) -> None:
    """It is pasted into a shell by somebody under pressure."""
    headline = "'; rm -rf ~ #$(reboot)\n`halt`"
    data = alert(info(area(geocodes=[("cell", "530003001")]), headline=headline, expires=None),
                 references="a,b,c", msgType="Update")  # fmt: skip
    data = data.replace(b"</info>", area(name="sea").encode() + b"</info>")
    shown = say(config, "-", "--as-of", "2026-07-20T19:00:00+08:00", stdin=data).stdout
    words, ends = shlex.split(shown.splitlines()[-3]), shlex.split(shown.splitlines()[-1])
    assert ends[:4] == ["dispatcher", "mode", "end", "--proposal"]
    assert ends[5:] == ["--reason", words[words.index("--reason") + 1]]
    assert words[words.index("--reason") + 1] == f"CAP Update: {' '.join(headline.split())} [Extreme] (气象台)"
    assert len(words) == 12
    assert "instead of cap-" in shown
    assert "in no cell of this grid: sea" in shown


def test_an_update_ends_what_it_replaces(config: Path) -> None:
    data = alert(info(area(geocodes=[("cell", "530003001")]), expires=None), msgType="Update",
                 references="a,b,c d,e,f")  # fmt: skip
    options = ("-", "--as-of", "2026-07-20T19:00:00+08:00")
    found = json.loads(say(config, *options, "--json", stdin=data).stdout)
    assert len(found["replaces"]) == 2
    confirm = [shlex.split(line) for line in found["confirm"]]
    assert confirm[0][:4] == ["dispatcher", "mode", "set", "emergency"]
    assert confirm[1:] == [["dispatcher", "mode", "end", "--proposal", old, "--reason", found["reason"]]
                           for old in found["replaces"]]  # fmt: skip
    for lang, then in (("en", "and then ends what it replaces"), ("zh", "随后")):
        shown = say(config, *options, "--lang", lang, stdin=data).stdout.splitlines()
        assert [shown[-4], *shown[-2:]] == found["confirm"]
        assert shown[-3].startswith(then)


def test_problems_and_usage(config: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.xml"
    broken.write_bytes(alert(info(severity="Bad"), status="Real"))
    done = say(config, str(broken))
    assert done.exit_code == 1
    said = done.stderr
    assert f"{broken}:5: status: expected one of" in said
    assert f"{broken}:12: severity: expected one of" in said
    assert "2 problem(s)" in said
    absent = dispatcher("alerts", "propose", str(tmp_path / "absent.xml"), config=config, check=False)
    assert absent.returncode == 1
    assert absent.stderr.strip() == f"{tmp_path / 'absent.xml'}: No such file or directory"
    red = str(ALERTS / "rainstorm-red.xml")
    for wrong in (["--as-of", "tomorrow"], ["--severity", "Bad=emergency"], ["--severity", "Minor=panic"],
                  ["--severity", "Minor"], ["--lang", "fr"]):  # fmt: skip
        assert say(config, red, *wrong).exit_code == 2, wrong


def test_severity_option_and_the_policy_in_force(config: Path, capsys) -> None:
    """In this process, with a ledger that has a policy in force: its modes count."""
    from dispatcher.commands.alerts.propose import propose_command
    from dispatcher.core import Intake, Placer
    from dispatcher.hosts.setup import Setup, read_policy
    from dispatcher.hosts.start import start
    from dispatcher.ledger import SqliteLedger
    from geo import Locator, load_grid

    options = {"as_of": "2026-07-20T19:00:00+08:00", "lang": "en", "json": True}
    path = config.parent / "minor.xml"
    path.write_bytes(alert(info(area(geocodes=[("cell", "530003001")]), severity="Minor")))
    for ledger_made in (False, True):
        if ledger_made:
            grid = load_grid((ROOT / "examples" / "city" / "grid.geojson").read_bytes())
            placer = Placer(grid, Locator(grid))
            ledger = SqliteLedger(config.parent / "city.db")
            host = start(ledger, Setup(grid, placer, Intake(placer), read_policy(ROOT / "rules" / "city")),
                         batch_records=10)  # fmt: skip
            host.catch_up()
            ledger.close()
        propose_command(config, None, path, severities=["Minor=emergency"], **options)
        assert json.loads(capsys.readouterr().out)["mode"] == "emergency"
        propose_command(config, None, path, severities=[], **options)
        assert json.loads(capsys.readouterr().out)["reason"] == "not_severe"
