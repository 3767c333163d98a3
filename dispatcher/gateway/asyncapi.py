"""The AsyncAPI document: topics and streams, and what lies on them, made from the structs that read and describe them.

AsyncAPI 3.0.0. Seen from the engine: it receives what others write and sends what others read.
"""

from typing import Any, Final, Literal, NamedTuple

import msgspec
from msgspec import Struct

from dispatcher.core.control import Command
from dispatcher.core.messages import Private, Report, Update
from dispatcher.core.published import Event, Notice, Order, QueueEvent, Rejection
from dispatcher.core.records import IncidentRecord

__all__ = ["asyncapi_document"]

_REF: Final = "#/components/schemas/{name}"
_CE: Final = "CloudEvents 1.0 in binary mode, on append topics of Kafka; `ce_id` is one record's for good."


class _Channel(NamedTuple):
    """A topic or a stream: what is on it, who writes it, what for."""

    name: str
    address: str
    action: Literal["receive", "send"]
    kind: Any
    said: str
    parameters: tuple[str, ...] = ("prefix",)


_CHANNELS: Final = (
    _Channel("reports", "{prefix}reports", "receive", Report, "Reports, from any producer."),
    _Channel("updates", "{prefix}updates", "receive", Update, "Updates with the actor the gateway has authenticated."),
    _Channel(
        "departmentUpdates", "{prefix}updates.{department}", "receive", Update,
        "Updates of one department, which is taken from the topic's name.", ("prefix", "department"),
    ),
    _Channel("control", "{prefix}control", "receive", Command, "Commands: a policy, modes, re-routing, outages."),
    _Channel("incidents", "{prefix}incidents", "send", IncidentRecord, "The whole public state, compacted."),
    _Channel("routed", "{prefix}routed", "send", QueueEvent, "The operators' queue: what enters, changes, leaves."),
    _Channel(
        "orders", "{prefix}dept.{department}", "send", Order, "A department's orders.", ("prefix", "department"),
    ),
    _Channel("events", "{prefix}events", "send", Event, "One record a revision: what happened, and all that changed."),
    _Channel("rejected", "{prefix}rejected", "send", Rejection, "What was not taken, and why."),
    _Channel("notices", "{prefix}notices", "send", Notice, "Who is to be told what."),
    _Channel("archive", "{prefix}archive", "send", IncidentRecord, "Ended incidents; earlier pages of long histories."),
    _Channel("reporters", "{prefix}reporters", "send", Private, "Personal data, compacted; for gateways only."),
    _Channel("queueStream", "/v1/streams/queue", "send", QueueEvent, "`routed` as server-sent events.", ()),
    _Channel(
        "orderStream", "/v1/streams/departments/{department}", "send", Order,
        "A department's orders as server-sent events.", ("department",),
    ),
)  # fmt: skip
_PARAMETERS: Final = {
    "prefix": {"description": "Before the name of every topic: `kafka.prefix`.", "default": ""},
    "department": {"description": "A department's code in the policy."},
}


def asyncapi_document(version: str) -> dict[str, Any]:
    """The document, for a version of the program."""
    kinds = list(dict.fromkeys(channel.kind for channel in _CHANNELS))
    found, schemas = msgspec.json.schema_components(kinds, ref_template=_REF)
    payloads = dict(zip(map(_name, kinds), found, strict=True))
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "City dispatch",
            "version": version,
            "description": "Topics on Kafka, and streams of server-sent events, of a city's dispatch engine.",
        },
        "defaultContentType": "application/json",
        "channels": {channel.name: _channel(channel) for channel in _CHANNELS},
        "operations": {
            f"{channel.action}{channel.name[0].upper()}{channel.name[1:]}": {
                "action": channel.action,
                "channel": {"$ref": f"#/channels/{channel.name}"},
                "summary": channel.said,
                "messages": [{"$ref": f"#/channels/{channel.name}/messages/{_name(channel.kind)}"}],
            }
            for channel in _CHANNELS
        },
        "components": {
            "messages": {
                name: {"name": name, "contentType": "application/json", "payload": payload, "headers": _HEADERS}
                for name, payload in payloads.items()
            },
            "schemas": schemas,
        },
    }


_HEADERS: Final = {
    "type": "object",
    "description": _CE,
    "properties": {name: {"type": "string"} for name in ("ce_id", "ce_source", "ce_specversion", "ce_type")},
}


def _channel(channel: _Channel) -> dict[str, Any]:
    name = _name(channel.kind)
    return {
        "address": channel.address,
        "description": channel.said,
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "parameters": {each: _PARAMETERS[each] for each in channel.parameters},
    }


def _name(kind: Any) -> str:  # noqa: ANN401 - a struct, or several
    return kind.__name__ if isinstance(kind, type) and issubclass(kind, Struct) else "Command"
