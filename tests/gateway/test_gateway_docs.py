"""What the pages on the gateway and on Open311 say is true: its commands are run as they stand."""

import json
import os
import re
import subprocess
from pathlib import Path

from gateway_process import Gateway, wait_until
from PIL import Image

PAGE = Path(__file__).parent.parent.parent / "docs" / "gateway.md"


def test_the_commands_of_the_page_do_what_it_says(own_gateway: Gateway, tmp_path: Path):
    keys = own_gateway.keys
    environment = {
        **os.environ,
        "CITY": own_gateway.url,
        "REPORTING": keys["reporter"],
        "WATCHING": keys["dispatcher"],
        "ANSWERING": keys["dep"],
    }
    snippets = snippets_of(PAGE)
    assert len(snippets) == 6
    Image.new("RGB", (9, 9)).save(tmp_path / "hole.jpg")
    said = []
    for snippet in snippets:
        settle(own_gateway)
        done = subprocess.run(
            ["bash", "-c", snippet], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=30
        )
        assert done.returncode == 0, f"{snippet}\n{done.stdout}{done.stderr}"
        said.append(done.stdout)
    taken, standing, queue, answered, streamed, pictured = said
    assert '"report_id":"R-1"' in taken
    assert '"state":"dispatched"' in standing
    assert '"lead":"dep"' in queue
    assert '"state":"taken"' in answered
    assert "event: " not in streamed
    assert '"event":"entered"' in streamed
    assert '"url":"/v1/media/' in pictured


def snippets_of(page: Path) -> list[str]:
    return re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def settle(gateway: Gateway) -> None:
    """A reader of the page takes longer than the engine does."""
    with gateway.client("reporter") as client:
        for _ in range(100):
            if client.get("/v1/reports/nyc-311/R-1").status_code == 200:
                return


def test_the_commands_of_the_page_on_open311_do_what_it_says(open_gateway: Gateway, tmp_path: Path):
    environment = {**os.environ, "CITY": open_gateway.url, "API_KEY": open_gateway.keys["app"]}
    said = []
    for snippet in snippets_of(PAGE.with_name("open311.md")):
        done = subprocess.run(
            ["bash", "-c", snippet], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=30
        )
        assert done.returncode == 0, f"{snippet}\n{done.stdout}{done.stderr}"
        said.append(done.stdout)
        if "sunk" in snippet:
            with open_gateway.client("app") as client:
                path = f"/v1/reports/nyc-311/{json.loads(done.stdout)[0]['service_request_id']}"
                wait_until(lambda: client.get(path).status_code == 200)  # noqa: B023 - of this round
    discovery, services, definition, taken, private, listed, changed = said
    assert "GeoReport_v2" in discovery
    assert "<service_code>street.sidewalk</service_code>" in services
    assert '"key":"b"' in definition
    request_id = json.loads(taken)[0]["service_request_id"]
    assert json.loads(private)[0]["description"] == "drums"
    assert request_id in [each["service_request_id"] for each in json.loads(listed)]
    assert "extended_attributes" in json.loads(listed)[0]
    assert json.loads(changed)[0]["status"] == "open"
