"""Saying things in one language: templates filled, departments and categories named, instants in the policy's zone."""

from datetime import datetime

from dispatcher.explain.words import TEXTS, Language
from rules import Policy

__all__ = ["Speech"]

HOUR_MS, MINUTE_MS, SECOND_MS = 3_600_000, 60_000, 1_000


class Speech:
    """One explanation's voice: `say("lead", party=…)` is the template `lead` of its language, filled."""

    def __init__(self, policy: Policy, language: Language) -> None:
        self._policy = policy
        self._texts = TEXTS[language]
        self._chinese = language == "zh"

    def __call__(self, key: str, /, **values: object) -> str:
        """Return the template of this name, filled."""
        return self._texts[key].format(**values)

    def word(self, table: dict[str, tuple[str, str]], word: str) -> str:
        """A word of a closed table; one that is not in it stands for itself."""
        pair = table.get(word)
        return word if pair is None else pair[self._chinese]

    def party(self, department: str, unit: str | None) -> str:
        """A department or its unit by name and code."""
        code = department if unit is None else f"{department}@{unit}"
        known = self._policy.department(department)
        return code if known is None else self._named(known.zh, known.en, code)

    def party_of(self, text: str) -> str:
        """The same for `department` or `department@unit` in one word."""
        department, _, unit = text.partition("@")
        return self.party(department, unit or None)

    def category(self, code: str) -> str:
        """A category by name and code."""
        known = self._policy.category(code)
        return code if known is None else self._named(known.zh, known.en, code)

    def _named(self, zh: str, en: str, code: str) -> str:
        name = (zh or en) if self._chinese else (en or zh)
        if not name:
            return code
        return f"{name}（{code}）" if self._chinese else f"{name} ({code})"

    def instant(self, text: str) -> str:
        """An instant (RFC 3339) in the policy's zone with its offset; seconds only where there are some."""
        local = datetime.fromisoformat(text).astimezone(self._policy.timezone)
        seconds = f":{local:%S}" if local.second else ""
        offset = f"{local:%z}"
        return f"{local:%Y-%m-%d %H:%M}{seconds} {offset[:3]}:{offset[3:5]}"

    def duration(self, amount_ms: int) -> str:
        """An amount of a clock's time: hours, minutes, seconds, those that are not zero."""
        hours, rest = divmod(amount_ms, HOUR_MS)
        minutes, rest = divmod(rest, MINUTE_MS)
        parts = (("hours", hours), ("minutes", minutes), ("seconds", rest // SECOND_MS))
        said = [self(name, n=f"{n:,}") for name, n in parts if n]
        return " ".join(said) or self("minutes", n=0)
