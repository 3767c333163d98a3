"""A posted form: read within limits, checked against the service's definition, and made a report."""

import math
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

import msgspec

from dispatcher.core.messages import ATTRIBUTES_MAX, TEXT_CHARS_MAX, Location, Report, Reporter
from dispatcher.gateway.open311.services import STANDARD, attributes_of
from dispatcher.gateway.problems import Problem
from rules import Policy, Scalar, asked_attributes

__all__ = ["BODY_BYTES_MAX", "FORM_SCHEMA", "Fields", "fields_of", "report_of"]

BODY_BYTES_MAX: Final = 131_072  # 4,000 characters of text take 36,000 bytes as a form has them
FIELDS_MAX: Final = 200
LABEL_CHARS_MAX: Final = 256
MEDIA_TYPE: Final = "application/x-www-form-urlencoded"
_decode: Final = msgspec.json.Decoder(Report).decode
_NUMBER: Final = re.compile(r"[-+]?\d{1,20}(\.\d{1,20})?([eE][-+]?\d{1,3})?", re.ASCII)
_LABEL: Final = {"type": "string", "maxLength": LABEL_CHARS_MAX}
FORM_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["service_code"],
    "properties": {
        "api_key": {"type": "string", "description": "The key of a reporter with one source; or as a bearer."},
        "jurisdiction_id": _LABEL,
        "service_code": {"type": "string", "minLength": 1, "maxLength": LABEL_CHARS_MAX},
        "lat": {"type": "number", "minimum": -90, "maximum": 90, "description": "WGS 84; with `long`."},
        "long": {"type": "number", "minimum": -180, "maximum": 180},
        "address_string": _LABEL,
        "address_id": {"type": "string", "maxLength": 128, "description": "The id of a registered thing."},
        "description": {"type": "string", "maxLength": TEXT_CHARS_MAX},
        "email": _LABEL,
        "phone": _LABEL,
        "first_name": {"type": "string", "maxLength": 120},
        "last_name": {"type": "string", "maxLength": 120},
        "device_id": {"type": "string", "description": "Not kept."},
        "account_id": {"type": "string", "description": "Not kept."},
        "media_url": {"type": "string", "maxLength": 1_024},
    },
    "patternProperties": {r"^attribute\[.+\](\[\])?$": {"type": "string", "maxLength": LABEL_CHARS_MAX}},
}


class Fields(NamedTuple):
    """What a request says, in its address and its body together; what is empty is not said."""

    values: dict[str, list[str]]

    def one(self, name: str) -> str | None:
        """The value of a field, the last where it stands several times."""
        found = self.values.get(name)
        return found[-1] if found else None


def fields_of(query: str, body: bytes, content_type: str) -> Fields:
    """Read a form. Raises Problem: 400 it is none, or has too many fields; 415 it is of another kind."""
    kind = content_type.partition(";")[0].strip().lower()
    if body and kind not in ("", MEDIA_TYPE):
        raise Problem(415, "not_a_form", f"send {MEDIA_TYPE}; photographs go to /v1/media, their address as media_url")
    values: dict[str, list[str]] = {}
    try:
        for part in (query, body.decode()):
            pairs = parse_qsl(part, errors="strict", max_num_fields=FIELDS_MAX)  # without those that are empty
            for name, value in pairs:
                values.setdefault(name, []).append(value)
    except (ValueError, UnicodeDecodeError) as error:
        raise Problem(400, "not_a_form", f"not a form of at most {FIELDS_MAX} fields in UTF-8: {error}") from error
    return Fields(values)


def report_of(fields: Fields, policy: Policy, *, source: str, report_id: str, at: datetime) -> Report:
    """The report that a form makes. Raises Problem: 400 with what is wrong, 404 there is no such service."""
    code = fields.one("service_code")
    if code is None:
        raise Problem(400, "invalid", "service_code was not provided")
    if policy.category(code) is None:
        raise Problem(404, "not_found", f"service_code {code[:64]} was not found; services.xml lists them")
    attributes, standard = _attributes(fields, policy, code)
    made = Report(
        report_id=report_id,
        source=source,
        reported_at=at,
        category=code,
        standard=standard,
        location=_location(fields),
        text=_text(fields, "description", TEXT_CHARS_MAX),
        attributes=attributes,
        media=tuple(fields.values.get("media_url", [])),
        reporter=_reporter(fields),
    )
    try:
        return _decode(msgspec.json.encode(made))  # within the limits of a report, or told which one it breaks
    except msgspec.ValidationError as error:
        raise Problem(400, "invalid", str(error)) from error


def _location(fields: Fields) -> Location:
    lat, lon = _degrees(fields, "lat", 90), _degrees(fields, "long", 180)
    if (lat is None) != (lon is None):
        raise Problem(400, "invalid", "lat and long go together")
    address, asset = _text(fields, "address_string"), _text(fields, "address_id", 128)
    if lat is None and address is None and asset is None:
        raise Problem(400, "invalid", "say where: lat and long, address_string or address_id")
    return Location(lon=lon, lat=lat, crs=None if lat is None else "wgs84", address=address, asset=asset)


def _degrees(fields: Fields, name: str, most: float) -> float | None:
    value = fields.one(name)
    degrees = None if value is None else _number(value)
    if value is not None and (degrees is None or abs(degrees) > most):
        raise Problem(400, "invalid", f"{name} is degrees from -{most} to {most}")
    return degrees


def _reporter(fields: Fields) -> Reporter | None:
    names = [_text(fields, name, 120) for name in ("first_name", "last_name")]
    name = " ".join(each for each in names if each is not None) or None
    phone, email = _text(fields, "phone"), _text(fields, "email")
    return None if name is phone is email is None else Reporter(name=name, phone=phone, email=email)


def _text(fields: Fields, name: str, chars_max: int = LABEL_CHARS_MAX) -> str | None:
    value = fields.one(name)
    if value is not None and len(value) > chars_max:
        raise Problem(400, "invalid", f"{name} has {len(value):,} characters, at most {chars_max:,}")
    return value


def _attributes(fields: Fields, policy: Policy, code: str) -> tuple[dict[str, Scalar | None], str | None]:
    """What the form says under `attribute[…]`, with the values that the rules know; and the filing standard."""
    known = {
        each["code"]: [value["key"] for value in each.get("values", [])] for each in attributes_of(policy, code, "en")
    }
    typed = {asked.name: {_key(value): value for value in asked.values} for asked in asked_attributes(policy, code)}
    found: dict[str, Scalar | None] = {}
    for field, values in fields.values.items():
        if not field.startswith("attribute["):
            continue
        name, end, rest = field.removeprefix("attribute[").partition("]")
        if not end or rest not in ("", "[]") or not 0 < len(name) <= LABEL_CHARS_MAX:
            raise Problem(400, "invalid", f"{field[:64]}: an attribute is written attribute[code]")
        found[name] = _value(name, values, known.get(name), typed.get(name, {}))
    standard = found.pop(STANDARD, None) if STANDARD in known else None
    if len(found) > ATTRIBUTES_MAX:
        raise Problem(400, "invalid", f"{len(found)} attributes, at most {ATTRIBUTES_MAX}")
    return found, None if standard is None else str(standard)


def _value(name: str, values: Sequence[str], known: Sequence[str] | None, typed: dict[str, Scalar]) -> Scalar:
    value = values[0]
    if len(values) > 1:
        raise Problem(400, "invalid", f"attribute[{name}] takes one value")
    if len(value) > LABEL_CHARS_MAX:
        raise Problem(400, "invalid", f"attribute[{name}]: at most {LABEL_CHARS_MAX} characters")
    if known is None:  # not one the rules ask for: taken as it stands
        return value
    if known:
        if value not in known:
            raise Problem(400, "invalid", f"attribute[{name}] is one of {', '.join(known)}"[:1_000])
        return typed.get(value, value)
    number = _number(value)
    if number is None:
        raise Problem(400, "invalid", f"attribute[{name}] is a number")
    return number


def _key(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(text: str) -> float | None:
    number = float(text) if _NUMBER.fullmatch(text) else math.inf
    return number if math.isfinite(number) else None
