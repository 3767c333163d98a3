"""Reads: a projection of the ledger in SQLite, queries over it, and measures as folds over cases."""

from dispatcher.views.lists import BadCursor, Bounds, Filter, Listed, RejectedRow, incidents, queue, rejected
from dispatcher.views.measures import (
    EXCLUDED,
    RATES,
    TERMS,
    Cohort,
    Flow,
    Group,
    GroupBy,
    Measures,
    Promises,
    Rate,
    flows,
    incidents_behind,
    measure,
    promises,
)
from dispatcher.views.projection import Projection, ProjectionError
from dispatcher.views.queries import (
    History,
    doubled_reports,
    history,
    incident,
    incident_json,
    incidents_of_report,
    states,
)
from dispatcher.views.rows import IncidentRow
from dispatcher.views.tables import Table, measures_csv, measures_json, measures_table, percent

__all__ = [
    "EXCLUDED", "RATES", "TERMS", "BadCursor", "Bounds", "Cohort", "Filter", "Flow", "Group", "GroupBy", "History",
    "IncidentRow", "Listed", "Measures", "Projection", "ProjectionError", "Promises", "Rate", "RejectedRow", "Table",
    "doubled_reports", "flows", "history", "incident", "incident_json", "incidents", "incidents_behind",
    "incidents_of_report", "measure", "measures_csv", "measures_json", "measures_table", "percent", "promises", "queue",
    "rejected", "states",
]  # fmt: skip
