"""Walk a newcomer's path over `make serve`, with pictures of it: `python docs/take_pictures.py`.

A resident reports, an operator sees it come, its department answers and is done, somebody checks, it is closed. What
each step took is printed. Wants a Chromium (`chromium` on the PATH) and the packages of the tests.
"""

import argparse
import io
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

WAIT_S = 180.0
WINDOW = {"width": 1280, "height": 760}
begun_s = time.monotonic()


def told(what: str) -> None:
    """Say how far it is."""
    print(f"{time.monotonic() - begun_s:6.1f} s  {what}", flush=True)


def main() -> int:
    """Walk; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--directory", type=Path, default=Path(__file__).parent / "images")
    directory = parser.parse_args().directory
    directory.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or sys.exit("no `chromium` on the PATH")
    with tempfile.TemporaryDirectory() as scratch, (Path(scratch) / "out").open("wb") as out:
        command = [sys.executable, "-m", "bench.day", "--directory", scratch, "--port", "0"]
        day = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)  # noqa: S603 - our own program
        try:
            url, keys = _served(day, Path(scratch) / "out")
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                _walk(browser, url, keys, directory)
                browser.close()
        finally:
            day.terminate()
            day.wait()
    return 0


def _served(day: "subprocess.Popen[bytes]", out: Path) -> tuple[str, dict[str, str]]:
    """The address and everybody's key, once the console stands."""
    while "Ctrl-C" not in (text := out.read_text()):
        if day.poll() is not None or time.monotonic() - begun_s > WAIT_S:
            raise SystemExit(text)
        time.sleep(0.2)
    told("the console stands")
    return re.findall(r"http://[\d.:]+", text)[0], dict(re.findall(r"│ (\w[\w ]*?) +│.*?(dk\.\S+)", text))


def _walk(browser: Browser, url: str, keys: dict[str, str], directory: Path) -> None:
    def visit(
        name: str, page: str, picture: str | None = None, settled: Callable[[Page], Any] = lambda _: None
    ) -> Page:
        at = browser.new_context(viewport=WINDOW, locale="en-US", timezone_id="Asia/Shanghai").new_page()
        at.goto(f"{url}{page}")
        at.fill("#key", keys[name])
        at.click("button.first")
        at.wait_for_selector("#main")
        settled(at)
        if picture is not None:
            at.wait_for_timeout(1_000)
            at.screenshot(path=directory / f"{picture}.png")
        return at

    queue = visit("operator", "/console/queue")
    told("an operator has signed in")
    report = {
        "source": "hotline", "report_id": "walk-1", "reported_at": datetime.now(UTC).isoformat(), "severity": 2,
        "category": "02.02.01", "location": {"lon": 103.5, "lat": 25.2}, "text": "A heap of refuse at the gate",
    }  # fmt: skip
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {keys['resident']}"}) as resident:
        resident.post("/v1/reports", json=report).raise_for_status()
        told("a resident has reported")
        while (found := resident.get("/v1/reports/hotline/walk-1")).status_code != httpx.codes.OK:
            time.sleep(0.05)
    incident_id = found.json()["incident_id"]
    queue.wait_for_selector(f"#line-{incident_id}")
    told(f"{incident_id} is in the operator's queue, routed")
    queue.wait_for_timeout(1_000)
    queue.screenshot(path=directory / "queue.png")
    address = f"/console/incidents/{incident_id}"
    department = visit("sanitation", address)
    _act(department, "acknowledge")
    told("its department has acknowledged it")
    department.screenshot(path=directory / "incident.png")
    _act(department, "done", picture=True)
    told("it is done, with a picture")
    checker = visit("checker", address)
    _act(checker, "check", result="pass")
    checker.wait_for_selector(".heading .state:has-text('closed')")
    told("it is checked and closed")
    checker.wait_for_timeout(1_000)
    checker.screenshot(path=directory / "closed.png", full_page=True)
    visit("shift lead", "/console/map", "map", lambda page: page.wait_for_selector("canvas"))
    visit("shift lead", "/console/measures", "measures")
    told("pictures of the map and the measures")


def _act(page: Page, action: str, *, picture: bool = False, **fields: str) -> None:
    form = page.locator(f'form.act[data-action="{action}"]')
    if "at-once" in (form.get_attribute("class") or ""):
        form.locator("button").click()
    else:
        dialog = page.locator("dialog").filter(has=form)
        page.locator(f'button[data-dialog="{dialog.get_attribute("id")}"]').click()
        if picture:
            made = io.BytesIO()
            Image.new("RGB", (320, 200), "seagreen").save(made, "PNG")
            file = {"name": "after.png", "mimeType": "image/png", "buffer": made.getvalue()}
            form.locator('input[type="file"]').set_input_files(file)
            for each in form.locator('input[name="flags"]').all():
                each.check()
        for name, value in fields.items():
            form.locator(f'[name="{name}"][value="{value}"]').check()
        form.locator(".buttons button.first").click()
    page.wait_for_function("() => document.getElementById('toast').textContent === 'Done'")
    page.wait_for_timeout(500)


if __name__ == "__main__":
    sys.exit(main())
