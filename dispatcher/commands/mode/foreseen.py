"""What a re-routing would change, in one sentence."""

from dispatcher.policies.scope import Foreseen
from rules.problems import Language

__all__ = ["summed_up"]

_WORDS = {
    "en": "{changed:,} of {open:,} open incidents would be re-routed: {lead:,} to another lead,"
    " {support:,} with more support, {severity:,} with another severity, {sla:,} under another SLA",
    "zh": "在办 {open:,} 件中有 {changed:,} 件会改变：更换主办 {lead:,} 件，增加协办 {support:,} 件，"
    "等级改变 {severity:,} 件，时限标准改变 {sla:,} 件",
}


def summed_up(foreseen: Foreseen, lang: Language) -> str:
    """How many, and in what; one incident may change in several ways."""
    return _WORDS[lang].format(open=foreseen.scope.open, **foreseen.counts())
