"""Rows of somebody's file -> reports and their later events, by a mapping the user writes.

```yaml
times: {zone: America/New_York, formats: ["%m/%d/%Y %I:%M:%S %p", iso]}
report:                                   # field of the report -> where it comes from
  report_id: [Unique Key, unique_key]     # the first of these columns that is present and not empty
  source: {value: nyc-311}                # a constant
  reported_at: [Created Date, created_date]
  category: [Complaint Type, complaint_type]
  location.lon: [Longitude, longitude]
  attributes.descriptor: [Descriptor, descriptor]
events:
  closed: [Closed Date, closed_date]      # acknowledge + done by the lead, then the check
```
A value that cannot be read is passed on as it stands: the engine then rejects that report and says why. Nothing is
dropped here.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from dispatcher.core import ms_to_text
from dispatcher.core.messages import Location, Report

__all__ = ["FieldMapping", "Mapped", "MappingError", "load_mapping"]

Row = Mapping[str, Any]

TIME_FIELDS = frozenset({"reported_at", "promised_at"})
NUMBER_FIELDS = frozenset({"location.lon", "location.lat", "location.accuracy_m", "confidence", "severity"})
FIELDS = (
    frozenset(Report.__struct_fields__) - {"location", "attributes", "media", "tags", "whistle", "external_refs"}
    | {f"location.{field}" for field in Location.__struct_fields__}
    | {f"reporter.{field}" for field in ("name", "phone", "email")}
) - {"reporter"}


class MappingError(Exception):
    """The mapping is wrong; the message lists every problem."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Constant(_Part):
    value: str | int | float | bool


class _Times(_Part):
    zone: str = "UTC"
    formats: list[str] = ["iso"]

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (OSError, ValueError, LookupError):
            raise ValueError(f"no time zone {zone}") from None
        return zone


class _Events(_Part):
    closed: list[str] = []


class _Document(_Part):
    times: _Times = _Times()
    report: dict[str, list[str] | _Constant]
    events: _Events = _Events()

    @field_validator("report")
    @classmethod
    def _fields(cls, report: dict[str, list[str] | _Constant]) -> dict[str, list[str] | _Constant]:
        unknown = [field for field in report if field not in FIELDS and not field.startswith("attributes.")]
        if unknown:
            raise ValueError(f"a report has no field {', '.join(unknown)}; it has {', '.join(sorted(FIELDS))}")
        missing = [field for field in ("report_id", "source", "reported_at", "category") if field not in report]
        if missing:
            raise ValueError(f"needs {', '.join(missing)}")
        return report


class Mapped(NamedTuple):
    """One row: its report as a JSON object, when it was reported, and when it was closed (None: unreadable, absent)."""

    report: dict[str, Any]
    reported_ms: int | None
    closed_ms: int | None

    @property
    def key(self) -> tuple[str, str] | None:
        """(source, report id), when both can be read."""
        source, report_id = self.report.get("source"), self.report.get("report_id")
        return (source, report_id) if isinstance(source, str) and isinstance(report_id, str) else None


class FieldMapping:
    """A mapping ready for use."""

    def __init__(self, document: _Document) -> None:
        self._fields = list(document.report.items())
        self._closed = document.events.closed
        self._formats = document.times.formats
        self._zone = ZoneInfo(document.times.zone)

    def map(self, row: Row) -> Mapped:
        """Map one row. Never raises for what the row holds."""
        report: dict[str, Any] = {}
        reported_ms: int | None = None
        for field, origin in self._fields:
            value = origin.value if isinstance(origin, _Constant) else _first(row, origin)
            if value is None:
                continue
            if field in TIME_FIELDS:
                instant_ms = self._instant(value)
                if field == "reported_at":
                    reported_ms = instant_ms
                value = value if instant_ms is None else ms_to_text(instant_ms)
            elif field in NUMBER_FIELDS:
                value = _number(value)
            elif field in FIELDS and not isinstance(value, str):
                value = _text(value)
            section, _, name = field.rpartition(".")
            (report.setdefault(section, {}) if section else report)[name] = value
        closed = _first(row, self._closed)
        return Mapped(report, reported_ms, None if closed is None else self._instant(closed))

    def _instant(self, value: object) -> int | None:
        text = str(value).strip()
        for form in self._formats:
            try:
                moment = datetime.fromisoformat(text) if form == "iso" else datetime.strptime(text, form)  # noqa: DTZ007
                if moment.tzinfo is None:
                    moment = moment.replace(tzinfo=self._zone)
                return int(moment.astimezone(UTC).timestamp() * 1000)
            except (ValueError, OverflowError):
                continue
        return None


def load_mapping(data: bytes, name: str) -> FieldMapping:
    """Read a mapping file.

    Raises:
        MappingError: with every problem.
    """
    try:
        document = yaml.load(data, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise MappingError(f"{name}: {error}") from None
    if not isinstance(document, dict):
        raise MappingError(f"{name}: expected the keys times, report and events, as in examples/nyc/mapping.yaml")
    try:
        return FieldMapping(_Document.model_validate(document))
    except ValidationError as error:
        problems = [f"{name}: {'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
        raise MappingError("\n".join(problems)) from None


def _first(row: Row, columns: list[str]) -> Any:
    """The first of the columns that is present and says something."""
    for column in columns:
        value = row.get(column)
        if value is not None and not (isinstance(value, str) and not value.strip()):
            return value
    return None


def _number(value: Any) -> Any:
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            return value
        if not math.isfinite(number):
            return value
        return int(number) if number.is_integer() and abs(number) < 1e15 else number
    return value


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
