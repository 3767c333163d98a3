"""`make serve`: the town has had a day, the console stands over it, and life goes on until it is ended."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

WAIT_S = 120.0


@pytest.mark.timeout(300)
def test_a_day_in_the_town(tmp_path: Path):
    (tmp_path / "city.db").write_text("left by somebody")  # is replaced
    command = [sys.executable, "-m", "bench.day", "--directory", str(tmp_path), "--port", "0", "--matters", "40"]
    with (tmp_path / "out").open("wb") as out:
        day = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    try:
        until = time.monotonic() + WAIT_S
        while "Ctrl-C" not in (told := (tmp_path / "out").read_text()):
            assert day.poll() is None, told
            assert time.monotonic() < until, told
            time.sleep(0.1)
        url = re.findall(r"http://[\d.:]+", told)[0]
        keys = dict(re.findall(r"│ (\w[\w ]*?) +│.*?(dk\.\S+)", told))
        assert len(keys) == 7
        authorization = {name: {"Authorization": f"Bearer {key}"} for name, key in keys.items()}
        everything = httpx.get(f"{url}/v1/incidents", params={"limit": 1000}, headers=authorization["operator"]).json()
        states = {line["state"] for line in everything["lines"]}
        assert len(everything["lines"]) > 20
        assert {"closed", "dispatched"} <= states, "some of it is over, some is to be done"
        for name, page in (("operator", "queue"), ("sanitation", "department"), ("grid officer", "officer")):
            with httpx.Client(base_url=url) as browser:
                signed_in = browser.post("/console/sign-in", data={"key": keys[name]})
                assert signed_in.status_code == 303
                assert browser.get(f"/console/{page}").status_code == 200
        day.send_signal(signal.SIGINT)
        assert day.wait(60) == 0
    finally:
        if day.poll() is None:
            day.kill()
