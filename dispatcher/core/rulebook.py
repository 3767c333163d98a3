"""One policy ready for use by the engine: its decider, and what is derived once and shared between incidents."""

from collections.abc import Callable, Hashable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

from dispatcher.core.incident import Decided
from dispatcher.core.ladder import Pace
from dispatcher.core.wire import encode
from rules import Decider, Decision, Policy, compile_policy, is_people

__all__ = ["SEMANTICS", "Rulebook"]

SEMANTICS = 3  # raised whenever the same facts under the same policy would be decided or tracked differently
T = TypeVar("T")
SHARED_MAX = 32_768  # decisions something was derived from, some 4 KB each; a day of a city has a few thousand


class _Shared:
    """What is derived once from a decision; it holds the decision, so that its identity stays its own."""

    __slots__ = ("decided", "decision", "prepared", "record")

    def __init__(self, decision: Decision) -> None:
        self.decision = decision
        self.record = encode(decision).decode()[1:-1]
        self.decided: dict[tuple[str, str, str | None], Decided] = {}
        self.prepared: Any = None


class Rulebook:
    """One policy ready for use: its decider and what is shared between incidents decided under it."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.decider: Decider = compile_policy(policy)
        self.people = frozenset(code for code, source in policy.sources.items() if is_people(source))
        self._day = (0, 0, "")  # start and end in epoch ms
        self._paces: dict[tuple[str, str | None, str], Pace] = {}
        self._once: dict[Hashable, Any] = {}
        self._shared: dict[int, _Shared] = {}  # by identity: to hash a decision costs more than to make one

    def _of(self, decision: Decision) -> _Shared:
        shared = self._shared.get(id(decision))
        if shared is None:
            if len(self._shared) >= SHARED_MAX:
                self._shared.clear()
            shared = self._shared[id(decision)] = _Shared(decision)
        return shared

    def decided(self, decision: Decision, cause: str, running: Decided | None = None) -> Decided:
        """What an incident keeps of a decision; one shared object per decision and cause.

        Where clocks run already, under `running`, they stay under its SLA and ladder: a later decision may bring in
        departments, it never starts or re-times what was promised.
        """
        sla, ladder = (decision.sla, decision.ladder) if running is None else (running.sla, running.ladder)
        shared = self._of(decision).decided
        known = shared.get((cause, sla, ladder))
        if known is None:
            known = shared[cause, sla, ladder] = Decided(
                decision.route, decision.overlays, decision.fallback, self.policy.sha256, SEMANTICS, cause,
                sla, ladder, decision.reason, decision.won_by,
            )  # fmt: skip
        return known

    def record(self, decision: Decision) -> str:
        """The part of a decision's record on `events` that facts of the same kind share, as JSON fields."""
        return self._of(decision).record

    def prepared(self, decision: Decision, prepare: Callable[["Rulebook", Decision], T]) -> T:
        """What `prepare` makes of a decision; always the same function, and made once."""
        shared = self._of(decision)
        if shared.prepared is None:
            shared.prepared = prepare(self, decision)
        return cast(T, shared.prepared)

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What is made once for the policy, under a key that says what it is; there are few of them."""
        made = self._once.get(key)
        if made is None:
            made = self._once[key] = make()
        return cast(T, made)

    def local_day(self, now_ms: int) -> str:
        """The day in the policy's zone as `YYYYMMDD`; the last one is remembered."""
        start_ms, end_ms, text = self._day
        if start_ms <= now_ms < end_ms:
            return text
        moment = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(self.policy.timezone)
        start = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        end = (start + timedelta(days=1, hours=6)).replace(hour=0)
        text = start.strftime("%Y%m%d")
        self._day = (int(start.timestamp() * 1000), int(end.timestamp() * 1000), text)
        return text

    def pace(self, decided: Decided, target: str) -> Pace:
        """When a target of a name warns and climbs, under the SLA and the ladder an incident keeps."""
        key = decided.sla, decided.ladder, target
        pace = self._paces.get(key)
        if pace is None:
            pace = self._paces[key] = Pace.of(self.policy, *key)
        return pace
