"""Reads: a projection of the ledger in SQLite, queries over it, and measures as folds over cases."""

from dispatcher.views.again import CameBack, came_back
from dispatcher.views.callbacks import CallbackDue, callbacks_due
from dispatcher.views.cohort import GROUPINGS, Basis, Cohort, Group, GroupBy, Grouping, Measures, Rate
from dispatcher.views.contenders import Contender, contenders
from dispatcher.views.documents import cohort_document, document, measures_document
from dispatcher.views.flows import FLOWS, Flow, Promises, Stock, behind_flow, flows, promises, stocks
from dispatcher.views.gaming import Burst, Gaming, LateRequest, Suspect, gaming
from dispatcher.views.handover import HANDED_OVER, handed_over
from dispatcher.views.inspections import (
    Inspection,
    InspectionError,
    firms_of,
    inspected,
    read_firms,
    read_inspections,
)
from dispatcher.views.lists import (
    BadCursor,
    Bounds,
    Filter,
    Listed,
    Reach,
    RejectedRow,
    incidents,
    queue,
    rejected,
    within,
)
from dispatcher.views.measures import incidents_behind, measure
from dispatcher.views.periods import NAMED, Named, local_day, midnights_between, named_period, period
from dispatcher.views.projection import BATCH, FOLLOWED, Lane, Portion, Projection, ProjectionError, view_path
from dispatcher.views.queries import (
    History,
    doubled_reports,
    event_places,
    events_of,
    history,
    incident,
    incident_json,
    incidents_of_report,
    private_of_report,
    reached,
    reports_of,
    states,
)
from dispatcher.views.ratings import Exemption, Given, Rating, exemptions, ratings
from dispatcher.views.refusals import refusal, refused, refused_reports
from dispatcher.views.rows import IncidentRow, live_parties
from dispatcher.views.scores import Boards, Scored, Scoring, boards, measures_of, scored
from dispatcher.views.tables import Cell, Table, all_terms, cell_text, cell_value, measures_table, percent, table_csv
from dispatcher.views.terms import EXCLUDED, RATES, TERMS
from dispatcher.views.times import HandsTime, Span, WhoseTime, in_hands, time_of, whose_time
from dispatcher.views.trend import trend
from dispatcher.views.workbook import Sheet, workbook

__all__ = [
    "BATCH", "EXCLUDED", "FLOWS", "FOLLOWED", "GROUPINGS", "HANDED_OVER", "NAMED", "RATES", "TERMS", "BadCursor",
    "Basis", "Boards", "Bounds", "Burst", "CallbackDue", "CameBack", "Cell", "Cohort", "Contender", "Exemption",
    "Filter", "Flow", "Gaming", "Given", "Group", "GroupBy", "Grouping", "HandsTime", "History", "IncidentRow",
    "Inspection", "InspectionError", "Lane", "LateRequest", "Listed", "Measures", "Named", "Portion", "Projection",
    "ProjectionError", "Promises", "Rate", "Rating", "Reach", "RejectedRow", "Scored", "Scoring", "Sheet", "Span",
    "Stock", "Suspect", "Table", "WhoseTime", "all_terms", "behind_flow", "boards", "callbacks_due", "came_back",
    "cell_text", "cell_value", "cohort_document", "contenders", "document", "doubled_reports", "event_places",
    "events_of", "exemptions", "firms_of", "flows", "gaming", "handed_over", "history", "in_hands", "incident",
    "incident_json", "incidents", "incidents_behind", "incidents_of_report", "inspected", "live_parties",
    "local_day", "measure", "measures_document", "measures_of", "measures_table", "midnights_between",
    "named_period", "percent", "period", "private_of_report", "promises", "queue", "ratings", "reached",
    "read_firms", "read_inspections", "refusal", "refused", "refused_reports", "rejected", "reports_of", "scored",
    "states", "stocks", "table_csv", "time_of", "trend", "view_path", "whose_time", "within", "workbook",
]  # fmt: skip
