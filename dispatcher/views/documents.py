"""Measures as JSON: codes only, instants as text, rates as {numerator, denominator, value}, null without a sample."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from dispatcher.core import NEVER_MS, ms_to_text
from dispatcher.views.cohort import Cohort, Group, Measures, Rate

__all__ = ["cohort_document", "document", "measures_document"]

Json = dict[str, Any]


def cohort_document(cohort: Cohort) -> Json:
    """Which cases, as of when."""
    return {
        "as_of": ms_to_text(cohort.as_of_ms),
        "basis": cohort.basis,
        "from": ms_to_text(cohort.from_ms) if cohort.from_ms else None,
        "to": None if cohort.to_ms >= NEVER_MS else ms_to_text(cohort.to_ms),
        "adjusted": cohort.adjusted,
    }


def measures_document(measures: Measures, adjusted: Measures | None = None) -> Json:
    """All terms and rates of every group; those of the adjusted figures beside, if asked for."""
    found = {
        **cohort_document(measures.cohort),
        "by": measures.grouping.by,
        "level": measures.grouping.level,
        "groups": [_group(group) for group in measures.groups],
        "total": _group(measures.total),
    }
    if adjusted is not None:
        found["without_exempt"] = {"groups": [_group(g) for g in adjusted.groups], "total": _group(adjusted.total)}
    return found


def document(value: object) -> Any:  # noqa: ANN401 - any JSON
    """A record, or a list of them, as JSON: instants become text, `filed_ms` as `filed_at`, `at_ms` as `at`."""
    if isinstance(value, Rate):
        return {**value._asdict(), "value": value.value}
    if isinstance(value, Fraction):
        return float(value)
    if hasattr(value, "_asdict"):
        return dict(_field(name, each) for name, each in value._asdict().items())
    if isinstance(value, dict):
        return {name: document(each) for name, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [document(each) for each in value]
    return value


_INSTANTS = frozenset({"closed_ms", "filed_ms", "asked_ms", "since_ms", "until_ms", "at_ms"})


def _field(name: str, value: object) -> tuple[str, Any]:
    if name in _INSTANTS and isinstance(value, int):
        return "at" if name == "at_ms" else name.removesuffix("_ms") + "_at", ms_to_text(value)
    return name, document(value)


def _group(group: Group) -> Json:
    return {"code": group.code, "terms": dict(group.terms), "rates": document(dict(group.rates))}
