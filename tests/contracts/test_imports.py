"""The import contracts hold, and each is shown to fail on a planted violation."""

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("geo", "rules", "dispatcher", "bench")

# contract -> (file, a line that breaks it)
PLANTED = {
    "packages": ("rules/facts.py", "import geo"),
    "dispatcher": ("dispatcher/ledger/memory.py", "import dispatcher.hosts.replay"),
    "core-pure": ("dispatcher/core/engine.py", "import time"),
    "rules-pure": ("rules/decide.py", "import random"),
    "geo-pure": ("geo/grid.py", "import sqlite3"),
    "kafka": ("dispatcher/hosts/embedded.py", "import aiokafka"),
    "front-doors": ("dispatcher/config/__init__.py", "import rules.loader"),
}


def contracts() -> list[str]:
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter", encoding="utf-8")
    return [name.removeprefix("importlinter:contract:") for name in parser.sections() if "contract" in name]


def lint(where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache", *arguments]
    return subprocess.run(command, cwd=where, capture_output=True, text=True, env={"PYTHONPATH": str(where)})


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("checkout")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, where / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", where)
    return where


def test_every_contract_has_a_planted_violation() -> None:
    assert sorted(contracts()) == sorted(PLANTED)


def test_contracts_hold(copy: Path) -> None:
    done = lint(copy)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("contract", sorted(PLANTED))
def test_planted_violation_is_found(contract: str, copy: Path) -> None:
    name, line = PLANTED[contract]
    file = copy / name
    text = file.read_text(encoding="utf-8")
    try:
        file.write_text(f"{text}\n{line}\n", encoding="utf-8")
        done = lint(copy, "--contract", contract)
    finally:
        file.write_text(text, encoding="utf-8")
    assert done.returncode == 1, done.stdout
    assert "BROKEN" in done.stdout


def test_new_module_of_dispatcher_must_be_given_a_layer(copy: Path) -> None:
    stray = copy / "dispatcher" / "stray.py"
    stray.write_text("import dispatcher.core\n", encoding="utf-8")
    try:
        done = lint(copy, "--contract", "dispatcher")
    finally:
        stray.unlink()
    assert done.returncode == 1
    assert "stray" in done.stdout
