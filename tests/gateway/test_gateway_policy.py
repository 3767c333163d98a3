"""The policy over HTTP: checked with places, handed in by one and put in force by another, and back again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gateway_process import Gateway, gateway_at, policy_texts, report, wait_until

from dispatcher.config import load_config


@pytest.fixture
def town(nyc: Path, tmp_path: Path) -> Iterator[Gateway]:
    """One whose policy nobody else changes."""
    with gateway_at(nyc / "config.yaml", tmp_path) as made:
        yield made


def asked(town: Gateway, name: str, what: str, **body: Any) -> tuple[int, dict[str, Any]]:
    with town.client(name) as client:
        answer = client.post(f"/v1/policy/{what}", params={"wait_s": 10}, json={"reason": "better", **body})
        return answer.status_code, answer.json()


def known(town: Gateway) -> dict[str, Any]:
    with town.client("inspector") as client:
        found: dict[str, Any] = client.get("/v1/policy").json()
    return found


def test_problems_are_told_with_their_places(gateway: Gateway, nyc: Path):
    files = policy_texts(nyc / "policy", "wrong")
    files["policy.yaml"] += "moon: 1\n"
    with gateway.client("policy_editor") as client:
        said = client.post("/v1/policy/validate", json={"files": files, "keep": True, "lang": "zh"}).json()
        assert (said["sha256"], said["kept"]) == (None, False)
        (problem,) = said["problems"]
        assert (problem["file"], problem["code"], problem["values"]["key"]) == ("policy.yaml", "E005", "moon")
        assert problem["line"] == files["policy.yaml"].count("\n")
        assert "未知的键" in problem["message"]
        assert client.post("/v1/policy/validate", json={"files": {"policy.exe": ""}}).status_code == 422
        large = {"files": {"policy.yaml": "#" * 4_000_001}}
        assert client.post("/v1/policy/validate", json=large).status_code == 413
        assert client.post("/v1/policy/validate", json={"files": {}}).status_code == 422


def test_one_hands_in_another_puts_in_force_and_all_of_it_is_history(town: Gateway):
    first = town.in_force()
    draft = town.draft("2")
    assert [(each["sha256"], each["by"], each["version"]) for each in known(town)["drafts"]] == [
        (draft, ["policy_editor"], "2")
    ]
    assert asked(town, "policy_approver", "rollback", sha256=draft, expects=first)[0] == 404  # it never was in force
    status, said = asked(town, "policy_approver", "activate", sha256=draft, expects="0" * 64)
    assert (status, said["type"]) == (409, "urn:dispatch:stale")
    status, said = asked(town, "policy_approver", "activate", sha256=draft, expects=first)
    assert (status, said["state"], said["lost"]) == (201, "taken", [])
    wait_until(lambda: known(town)["in_force"].get("version") == "2" and known(town)["history"][0]["sha256"] == draft)
    status, said = asked(town, "policy_approver", "activate", sha256=draft, expects=draft)
    assert (status, said["type"]) == (409, "urn:dispatch:already")

    status, said = asked(town, "policy_approver", "rollback", sha256=first, expects=draft)
    assert (status, said["state"]) == (201, "taken")
    wait_until(lambda: known(town)["history"][0]["sha256"] == first)
    history = known(town)["history"]
    assert [each["outcome"] for each in history] == ["in_force", "replaced", "replaced"]
    assert [each["by"] for each in history] == ["policy_approver", "policy_approver", ""]
    assert history[1]["reason"] == "better"


def test_nobody_approves_of_a_policy_of_their_own(town: Gateway, nyc: Path):
    first, files = town.in_force(), policy_texts(nyc / "policy", "3")
    with town.client("policy_approver") as client:
        draft = client.post("/v1/policy/validate", json={"files": files, "keep": True}).json()["sha256"]
    assert town.draft("3") == draft  # handed in by another too, who does not make it somebody else's
    status, said = asked(town, "policy_approver", "activate", sha256=draft, expects=first)
    assert (status, said["type"]) == (403, "urn:dispatch:four_eyes")
    assert town.in_force() == first
    assert asked(town, "everybody", "activate", sha256=draft, expects=first)[0] == 201


def test_four_eyes_may_be_switched_off(nyc: Path, tmp_path: Path):
    config = tmp_path / "config.yaml"
    policy, grid = nyc / "policy", nyc / "grid.geojson"
    config.write_text(f"policy: {policy}\ngrid: {grid}\ngateway: {{four_eyes: false}}\n")
    assert not load_config(config, {}).gateway.four_eyes
    with gateway_at(config, tmp_path) as town:
        first, files = town.in_force(), policy_texts(policy, "4")
        with town.client("policy_approver") as client:
            draft = client.post("/v1/policy/validate", json={"files": files, "keep": True}).json()["sha256"]
        assert asked(town, "policy_approver", "activate", sha256=draft, expects=first)[0] == 201


def test_a_report_is_tried_under_the_policy_in_force_in_a_mode_and_under_a_draft(gateway: Gateway):
    with gateway.client("policy_editor") as client:
        found = client.post("/v1/policy/explain", json={"report": report("tried"), "mode": "emergency"}).json()
        assert found["explanation"]["hypothetical"]
        assert found["explanation"]["trace"]["decision"]["lead"]["department"] == "dep"
        assert found["explanation"]["trace"]["facts"]["mode"] == "emergency"
        assert "Department of Environmental Protection" in found["text"]
        draft = gateway.draft("tried")
        under = client.post(
            "/v1/policy/explain", json={"report": report("tried"), "policy": draft, "lang": "zh"}
        ).json()
        assert under["explanation"]["policy"] == draft
        assert "噪声" in under["text"]
        outside = {"report": report("tried", source="moon")}
        assert client.post("/v1/policy/explain", json=outside).json()["rejected"]["reason"]
        for wrong in ({"mode": "none"}, {"policy": "0" * 64}, {"at": "2000-01-01T00:00:00Z"}):
            assert client.post("/v1/policy/explain", json={"report": report("x"), **wrong}).status_code in (404, 422)
    with gateway.client("reporter") as client:
        assert client.get("/v1/reports/nyc-311/tried").status_code == 404  # nothing is recorded
