"""Why an incident was decided as it was: recomputed from its facts and the policy of its time, never stored.

    explanation = explain_incident(policy, record, recorded, events)     # past: decision, rivals, deadlines, pauses
    record, events = what_if(policy, intake, grid, report, at_ms)        # a report that nobody has sent
    explanation = explain_under(other, policy, record)                   # the same facts under another policy
    text = render(explanation, "zh")                                     # plain data go out as JSON as they are

The recomputed decision must equal the recorded one byte for byte; `Explanation.equal` says whether it does.
"""

from dispatcher.explain.deadlines import Deadline, Offer, Span, Stop
from dispatcher.explain.explanation import Explanation, Shift, explain_incident, explain_under
from dispatcher.explain.text import render
from dispatcher.explain.what_if import Refusal, in_mode, what_if

__all__ = [
    "Deadline",
    "Explanation",
    "Offer",
    "Refusal",
    "Shift",
    "Span",
    "Stop",
    "explain_incident",
    "explain_under",
    "in_mode",
    "render",
    "what_if",
]
