"""Facts to routes by what others would use: a loop over all rules, a decision table of ZEN Engine.

All decide the same facts under the same policy, one without overlays, since a table that stops at its first hit has
none. What must come out is the route's id; from the loop and from ours, the whole decision.
"""

from collections.abc import Sequence
from typing import NamedTuple

from bench.answers import WrongAnswer
from bench.decisions import timed_us
from bench.policy import policy_files
from bench.rivals.tabling import context_of, decision_of, routes_only
from bench.town import Town
from rules import Decision, Facts, compile_policy, decide_plainly, load_policy

__all__ = ["Deciding", "DecidingRates"]


class DecidingRates(NamedTuple):
    """CPU microseconds a decision."""

    new: float  # ours, from nothing: every class of facts is learnt on the way
    again: float  # ours, the same facts once more
    loop: float
    zen: float


class Deciding:
    """A policy of so many routes, compiled by all.

    Args:
        town: whose cells the routes name.
        rules: of the policy, overlays not counted: they are left out.
        seed: of the policy.
    """

    def __init__(self, town: Town, rules: int, seed: int) -> None:
        self.policy = load_policy(routes_only(policy_files(town.grid, rules, seed)))
        self._decider = compile_policy(self.policy)
        self._table = decision_of(self.policy, town.grid.level_of)

    def rates(self, facts: Sequence[Facts]) -> DecidingRates:
        """Each of the facts once, by ours twice. Raises WrongAnswer."""
        ours: list[Decision] = []
        by_loop: list[Decision] = []
        by_table: list[str | None] = []
        contexts = [context_of(self.policy, each) for each in facts]
        self._decider.start_anew()
        count = len(facts)
        rates = DecidingRates(
            new=timed_us(lambda: ours.extend(map(self._decider.decide, facts)), count),
            again=timed_us(lambda: ours.extend(map(self._decider.decide, facts)), count),
            loop=timed_us(lambda: by_loop.extend([decide_plainly(self.policy, each) for each in facts]), count),
            zen=timed_us(
                lambda: by_table.extend([self._table.evaluate(each)["result"].get("route") for each in contexts]), count
            ),
        )
        if ours != by_loop * 2:
            raise WrongAnswer("decide: ours are not the decisions of the plain loop")
        if different := [n for n, each in enumerate(by_loop) if each.route != by_table[n]]:
            first = different[0]
            raise WrongAnswer(f"decide, ZEN Engine: {len(different)} differ, {by_table[first]} for {facts[first]}")
        return rates
