"""Kafka's jars are brought once and whole; what is missing is told with the way to get it. Maven, Java: played."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bench.broker import Broker, DownloadFailed, ToolMissing, fetch_libraries, find_java

ROOT = Path(__file__).parent.parent.parent
BRINGS = """#!/bin/sh
echo once >> "{calls}"
for word; do case $word in -DoutputDirectory=*) to=${{word#*=}};; esac; done
mkdir -p "$to" && sleep {takes_s} && echo jar > "$to/kafka_2.13-4.1.1.jar" && echo jar > "$to/other.jar"
"""


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """An otherwise empty PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    return folder


def play(folder: Path, name: str, script: str) -> None:
    file = folder / name
    file.write_text(script, encoding="utf-8")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def calls(programs, tmp_path, monkeypatch):
    """A Maven that brings two jars; the function tells how often it was called."""
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    counted = tmp_path / "calls"
    play(programs, "mvn", BRINGS.format(calls=counted, takes_s=0))
    return lambda: len(counted.read_text(encoding="utf-8").splitlines()) if counted.exists() else 0


def test_a_complete_set_is_brought_once(calls, tmp_path):
    libs = tmp_path / "kafka" / "libs"
    assert fetch_libraries(libs) == fetch_libraries(libs) == libs
    assert sorted(jar.name for jar in libs.glob("*.jar")) == ["kafka_2.13-4.1.1.jar", "other.jar"]
    assert calls() == 1


def damage_interrupted(libs):
    (libs / "complete.txt").unlink()
    (libs / "other.jar").unlink()
    (libs / "half.jar").write_text("ha")


def damage_cut_short(libs):
    (libs / "other.jar").write_text("")


def damage_one_gone(libs):
    (libs / "other.jar").unlink()


def damage_other_version(libs):
    list_ = libs / "complete.txt"
    list_.write_text("0" * 64 + list_.read_text()[64:])


@pytest.mark.parametrize("damage", [damage_interrupted, damage_cut_short, damage_one_gone, damage_other_version])
def test_a_set_that_is_not_whole_is_brought_again(damage, calls, tmp_path):
    libs = tmp_path / "libs"
    fetch_libraries(libs)
    damage(libs)
    fetch_libraries(libs)
    assert calls() == 2
    assert {jar.name: jar.read_text() for jar in libs.glob("*.jar")} == {
        "kafka_2.13-4.1.1.jar": "jar\n", "other.jar": "jar\n",
    }  # fmt: skip


def test_processes_that_ask_at_once_get_one_set(calls, programs, tmp_path):
    play(programs, "mvn", BRINGS.format(calls=tmp_path / "calls", takes_s=1))
    code = "import sys, pathlib; from bench.broker import fetch_libraries; fetch_libraries(pathlib.Path(sys.argv[1]))"
    command = [sys.executable, "-c", code, str(tmp_path / "libs")]
    asking = [subprocess.Popen(command, cwd=ROOT) for _ in range(3)]
    assert [process.wait(60) for process in asking] == [0, 0, 0]
    assert calls() == 1


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("#!/bin/sh\necho '[ERROR] no such host'; exit 1\n", "no such host"),
        ("#!/bin/sh\nexit 0\n", "no kafka_"),
    ],
)
def test_a_download_that_fails_tells_mavens_reason_and_what_to_try(script, reason, programs, tmp_path):
    play(programs, "mvn", script)
    with pytest.raises(DownloadFailed) as why:
        fetch_libraries(tmp_path / "libs")
    assert reason in str(why.value)
    assert f"mvn --batch-mode --quiet --file {ROOT / 'bench' / 'broker' / 'pom.xml'}" in str(why.value)
    with pytest.raises(DownloadFailed):
        fetch_libraries(tmp_path / "libs")  # what it left behind is not taken for a set


def test_without_maven_the_way_to_get_it_is_told(programs, tmp_path):
    with pytest.raises(ToolMissing, match=r"`mvn` is needed(.|\n)*apt-get install .*maven"):
        fetch_libraries(tmp_path / "libs")


def test_without_java_the_way_to_get_it_is_told(programs, tmp_path):
    with pytest.raises(ToolMissing, match=r"`java` is needed(.|\n)*apt-get install .*jre"):
        Broker(tmp_path).start()


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("#!/bin/sh\necho 'openjdk version \"1.8.0_402\"' >&2\n", "is Java 1; Apache Kafka needs 17"),
        ("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n", "is Java 11; Apache Kafka needs 17"),
        ("#!/bin/sh\necho 'cannot find libjvm.so' >&2; exit 1\n", "does not run: cannot find libjvm.so"),
    ],
)
def test_a_java_that_will_not_do_is_told_apart(script, words, programs):
    play(programs, "java", script)
    with pytest.raises(ToolMissing, match=words):
        find_java()


@pytest.mark.parametrize("version", ['java version "17" 2021-09-14', 'openjdk version "21.0.2" 2024-01-16 LTS'])
def test_java_home_comes_before_path(version, programs, tmp_path, monkeypatch):
    (tmp_path / "home" / "bin").mkdir(parents=True)
    play(tmp_path / "home" / "bin", "java", f"#!/bin/sh\necho '{version}' >&2\n")
    play(programs, "java", "#!/bin/sh\nexit 1\n")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    assert find_java() == str(tmp_path / "home" / "bin" / "java")


@pytest.mark.parametrize(("ci", "ended", "counted"), [("", 0, "1 skipped"), ("true", 1, "1 error")])
def test_tests_without_java_are_skipped_with_the_reason_but_fail_in_ci(ci, ended, counted, programs, tmp_path):
    test = f"{ROOT}/tests/kafka/test_broker.py::test_a_record_is_kept_with_the_time_at_which_it_was_appended"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--basetemp", str(tmp_path / "inner"), test]
    environment = {"PATH": str(programs), "PYTHONPATH": str(ROOT), "CI": ci}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=120)
    assert done.returncode == ended, done.stdout
    assert counted in done.stdout
    assert "`java` is needed" in done.stdout
    assert "apt-get install" in done.stdout
