"""Whatever is asked, the answer is one that the OpenAPI document names, and never a failure of ours."""

import subprocess
import sys
from pathlib import Path

import httpx
from gateway_kafka import ON_BOTH
from gateway_process import Gateway, Serving, report
from jsonschema.validators import validator_for

ON = ON_BOTH
CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
    "negative_data_rejection", "ignored_auth", "unsupported_method",
)  # fmt: skip


def test_the_document_is_one(gateway: Serving):
    document = httpx.get(f"{gateway.url}/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    for schema in document["components"]["schemas"].values():
        validator_for(schema).check_schema(schema)


def test_whatever_is_asked_the_answer_is_a_documented_one(gateway: Serving, tmp_path: Path):
    """By Schemathesis: made-up requests, right and wrong ones. Streams have no end and are tested by themselves."""
    gateway.opened("reporter", report("fuzz-1"))
    fuzz(gateway, "everybody", ["--exclude-path-regex", "streams|open311"], tmp_path)


def test_whatever_is_asked_of_open311_the_answer_is_a_documented_one(open_gateway: Gateway, tmp_path: Path):
    fuzz(open_gateway, "app", ["--include-path-regex", "open311"], tmp_path)


def fuzz(gateway: Serving, name: str, paths: list[str], directory: Path) -> None:
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", f"{gateway.url}/openapi.json",
        "-H", f"Authorization: Bearer {gateway.keys[name]}", *paths,
        "--checks", ",".join(CHECKS), "-n", "15", "--phases", "coverage,fuzzing", "--seed", "1",
        "--suppress-health-check", "all",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, cwd=directory)
    said = done.stdout[-6_000:]
    assert done.returncode == 0, said
    assert "Test cases:" in said
    assert "Traceback" not in gateway.log()
