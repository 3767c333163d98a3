"""What the page on the gateway says is true: its commands are run as they stand."""

import os
import re
import subprocess
from pathlib import Path

from gateway_process import Gateway

PAGE = Path(__file__).parent.parent.parent / "docs" / "gateway.md"


def test_the_commands_of_the_page_do_what_it_says(own_gateway: Gateway):
    keys = own_gateway.keys
    environment = {
        **os.environ,
        "CITY": own_gateway.url,
        "REPORTING": keys["reporter"],
        "WATCHING": keys["dispatcher"],
        "ANSWERING": keys["dep"],
    }
    snippets = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(snippets) == 5
    said = []
    for snippet in snippets:
        settle(own_gateway)
        done = subprocess.run(["bash", "-c", snippet], env=environment, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, f"{snippet}\n{done.stdout}{done.stderr}"
        said.append(done.stdout)
    taken, standing, queue, answered, streamed = said
    assert '"report_id":"R-1"' in taken
    assert '"state":"dispatched"' in standing
    assert '"lead":"dep"' in queue
    assert '"state":"taken"' in answered
    assert "event: " not in streamed
    assert '"event":"entered"' in streamed


def settle(gateway: Gateway) -> None:
    """A reader of the page takes longer than the engine does."""
    with gateway.client("reporter") as client:
        for _ in range(100):
            if client.get("/v1/reports/nyc-311/R-1").status_code == 200:
                return
