"""A client of GeoReport v2 as the specification has it, XML and JSON, and how the two correspond (Spark)."""

from typing import Any
from xml.etree import ElementTree

import httpx
from gateway_process import Gateway, wait_until

BASE = "/open311/v2"
NUMBERS = {"lat", "long"}
WHOLE = {"code", "order"}
LISTS = {
    "services", "attributes", "values", "service_requests", "service_request_updates", "errors", "endpoints", "formats",
    "supports", "path",
}  # fmt: skip


def spark(element: ElementTree.Element, above: str = "") -> Any:
    """What an element says as the JSON has it."""
    if element.tag in LISTS:
        return [spark(each, element.tag) for each in element]
    if len(element):
        return {each.tag: spark(each, element.tag) for each in element}
    text = element.text
    if text is None or element.tag in NUMBERS:
        return None if text is None else float(text)
    if element.tag == "order" or (element.tag == "code" and above == "error"):
        return int(text)
    return (
        {"true": True, "false": False}.get(text, text) if element.tag in ("metadata", "variable", "required") else text
    )


class Open311:
    """Asks one gateway, as somebody or nobody."""

    def __init__(self, gateway: Gateway, name: str | None = None) -> None:
        self.key = None if name is None else gateway.keys[name]
        self.http = httpx.Client(base_url=f"{gateway.url}{BASE}", timeout=30)

    def __enter__(self) -> "Open311":
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def get(self, path: str, **asked: Any) -> Any:
        """The answer in both forms, which must say the same."""
        params = {**asked, **({} if self.key is None else {"api_key": self.key})}
        for _ in range(50):
            json, xml, after = (self.http.get(f"/{path}.{form}", params=params) for form in ("json", "xml", "json"))
            if after.content == json.content:  # nothing has happened in between
                break
        assert json.status_code == xml.status_code
        assert json.headers["content-type"] == "application/json; charset=utf-8"
        assert xml.headers["content-type"] == "text/xml; charset=utf-8"
        assert xml.content.startswith(b'<?xml version="1.0" encoding="utf-8"?>')
        said = json.json()
        assert spark(ElementTree.fromstring(xml.content)) == _without_nothing(said)
        return said

    def post(self, form: str = "json", headers: dict[str, str] | None = None, **fields: Any) -> httpx.Response:
        """Ask for a service."""
        data = {**({} if self.key is None else {"api_key": self.key}), **fields}
        return self.http.post(f"/requests.{form}", data=data, headers=headers)

    def asked(self, **fields: Any) -> str:
        """Ask for a service and wait until it is worked on; the id."""
        answer = self.post(**fields)
        assert answer.status_code == 201, answer.text
        (said,) = answer.json()
        found: list[str] = []

        def worked_on() -> bool:
            path = (
                f"/tokens/{said['token']}.json" if "token" in said else f"/requests/{said['service_request_id']}.json"
            )
            answered = self.http.get(path, params={} if self.key is None else {"api_key": self.key})
            found[:] = [each["service_request_id"] for each in answered.json()] if answered.status_code == 200 else []
            return bool(found)

        wait_until(worked_on)
        return found[0]


def _without_nothing(value: Any) -> Any:
    """An empty list and nothing look alike in XML."""
    if isinstance(value, dict):
        return {name: _without_nothing(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_without_nothing(each) for each in value]
    return None if value == "" else value
