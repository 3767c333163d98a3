"""The configuration: every problem at once with its line, and overrides from the environment."""

from pathlib import Path

import pytest

from dispatcher.config import ConfigError, load_config

ROOT = Path(__file__).parent.parent.parent
GOOD = "policy: p\ngrid: g.json\n"


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, GOOD), {})
    assert config.policy == tmp_path / "p"
    assert config.ledger == tmp_path / "var" / "city.db"
    assert config.http.host == "127.0.0.1"


def test_environment_overrides(tmp_path: Path) -> None:
    config = load_config(
        write(tmp_path, GOOD), {"DISPATCHER__HTTP__PORT": "9999", "DISPATCHER__LEDGER": "x.db", "A": "b"}
    )
    assert config.http.port == 9999
    assert config.ledger == tmp_path / "x.db"


def test_every_problem_at_once_with_its_line(tmp_path: Path) -> None:
    text = GOOD + "http:\n  port: many\n  hots: x\nlocate: {tolerance_m: -1}\n"
    with pytest.raises(ConfigError) as error:
        load_config(write(tmp_path, text), {"DISPATCHER__ENGINE__POLL_MS": "never"})
    said = str(error.value)
    assert "config.yaml:4: http.port" in said
    assert "config.yaml:5: http.hots" in said
    assert "config.yaml:6: locate.tolerance_m" in said
    assert "environment: engine.poll_ms" in said


@pytest.mark.parametrize("text", ["[]", "policy: [", "just words", "\x00"])
def test_what_is_no_configuration(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"config\.yaml"):
        load_config(write(tmp_path, text), {})


def test_absent(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"config\.yaml"):
        load_config(tmp_path / "config.yaml", {})


def test_environment_cannot_go_through_a_value(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not a section"):
        load_config(write(tmp_path, GOOD), {"DISPATCHER__POLICY__X": "y"})


@pytest.mark.parametrize("path", ["config.yaml", "examples/nyc/config.yaml"])
def test_the_shipped_configurations_load(path: str) -> None:
    config = load_config(ROOT / path, {})
    assert config.grid.exists()
    assert config.policy.is_dir()
