"""Which cases a command is about: periods, bases and instants as people write them."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from dispatcher.commands.instants import instant_ms
from dispatcher.commands.talk import fail, say
from dispatcher.core import NEVER_MS, datetime_to_ms, ms_to_text
from dispatcher.views import Basis, Cohort, Projection, period
from rules import Policy
from rules.problems import Language

__all__ = ["Asked", "cohort_of", "midnights"]

BASES: tuple[Basis, ...] = ("received", "filed", "due")
MIDNIGHTS_MAX = 400  # a year and a bit: each is a look at all that was open
_WORDS = {
    "en": {
        "later": "nothing is known after {latest}, the ledger's latest record; --as-of {as_of} shows no more than that",
        "midnights": "the period holds {n} midnights; at most {most} are worked out: choose a shorter one",
    },
    "zh": {
        "later": "台账最新记录为 {latest}，此后情况未知；--as-of {as_of} 所示不会更新",
        "midnights": "该时段含 {n} 个零点，最多计算 {most} 个：请缩短时段",
    },
}


class Asked:
    """The options that choose a cohort; at most one of the three periods."""

    def __init__(
        self,
        received: str | None = None,
        filed: str | None = None,
        due: str | None = None,
        basis: str | None = None,
        as_of: str | None = None,
    ) -> None:
        periods = {"received": received, "filed": filed, "due": due}
        given = [name for name, text in periods.items() if text is not None]
        if len(given) > 1:
            fail(f"--{' and --'.join(given)} are different cohorts; choose one", 2)
        if basis is not None and basis not in BASES:
            fail(f"--basis takes {', '.join(BASES)}, not {basis}", 2)
        if given and basis not in (None, given[0]):
            fail(f"--basis {basis} and --{given[0]} are different cohorts; choose one", 2)
        self.basis: Basis = next(name for name in BASES if name == (given[0] if given else basis or "filed"))
        self.period, self.as_of = periods[self.basis], as_of


def cohort_of(
    asked: Asked, view: Projection, policy: Policy, lang: Language = "en", *, adjusted: bool = False
) -> Cohort:
    """The cohort that options ask for, in the policy's time zone and with its idea of coming back.

    An instant the ledger has not reached is told of, and taken.
    """
    try:
        from_ms, to_ms = period(asked.period, policy.timezone)
    except ValueError as error:
        fail(str(error), 2)
    as_of_ms = view.latest_ms if asked.as_of is None else instant_ms(asked.as_of, lang)
    if as_of_ms > view.latest_ms:
        say(_WORDS[lang]["later"].format(latest=ms_to_text(view.latest_ms), as_of=asked.as_of))
    return Cohort(as_of_ms, asked.basis, from_ms, to_ms, adjusted, policy.measures.came_back_ms)


def midnights(cohort: Cohort, zone: ZoneInfo, lang: Language = "en") -> list[int]:
    """The local midnights of a cohort's period, its two ends included, that are not after its instant.

    Without a period, the last one. More than `MIDNIGHTS_MAX` end the command.
    """

    def local(at_ms: int) -> date:
        return datetime.fromtimestamp(at_ms / 1000, zone).date()

    last = local(min(cohort.as_of_ms, cohort.to_ms))
    n = (last - local(cohort.from_ms)).days + 1 if cohort.to_ms < NEVER_MS else 1
    if n > MIDNIGHTS_MAX:
        fail(_WORDS[lang]["midnights"].format(n=n, most=MIDNIGHTS_MAX), 2)
    days = [last - timedelta(days=back) for back in reversed(range(n))]
    return [datetime_to_ms(datetime(day.year, day.month, day.day, tzinfo=zone)) for day in days]
