"""What a re-routing would change, in one sentence."""

from collections.abc import Sequence

from dispatcher.core.reroute import Rerouted
from rules.problems import Language

__all__ = ["summed_up"]

_WORDS = {
    "en": "{n:,} of {open:,} open incidents would be re-routed: {lead:,} to another lead,"
    " {support:,} with more support, {severity:,} with another severity, {sla:,} under another SLA",
    "zh": "在办 {open:,} 件中有 {n:,} 件会改变：更换主办 {lead:,} 件，增加协办 {support:,} 件，"
    "等级改变 {severity:,} 件，时限标准改变 {sla:,} 件",
}


def summed_up(foreseen: Sequence[Rerouted], open_incidents: int, lang: Language) -> str:
    """How many, and in what; one incident may change in several ways."""
    return _WORDS[lang].format(
        n=len(foreseen),
        open=open_incidents,
        lead=sum(each.lead_before != each.lead_after for each in foreseen),
        support=sum(bool(each.support_added) for each in foreseen),
        severity=sum(each.severity_before != each.severity_after for each in foreseen),
        sla=sum(each.sla_before != each.sla_after for each in foreseen),
    )
