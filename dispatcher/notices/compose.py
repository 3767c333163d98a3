"""Notices into the message that tells them: a subject and at most 500 characters, in one language. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from zoneinfo import ZoneInfo

from dispatcher.notices.notice import Notice
from dispatcher.notices.words import DIGEST, FOR_REPORTERS, OTHER, PARTS, TARGETS, TEMPLATES, Language, Words

__all__ = ["SUBJECT_MAX", "TEXT_MAX", "Message", "Voice", "compose"]

TEXT_MAX = 500  # what a work chat shows unfolded, and a bound for whoever turns it into short messages
SUBJECT_MAX = 120
_NAME_MAX, _CODE_MAX, _REASON_MAX = 40, 64, 160  # of the parts, so that what matters is never what is cut off
_MIDDLING = 3  # where a notice without a severity stands among the others of a digest
_WITH_REASON = FOR_REPORTERS & {"answered", "referred", "not_accepted"}  # the others are the city's own affair


@dataclass(frozen=True, slots=True)
class Message:
    """What a channel delivers. `message_id` is the same for the same notices; `address` is never logged."""

    message_id: str
    to: str
    subject: str
    text: str
    notices: tuple[Notice, ...]
    late: bool = False
    address: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Voice:
    """In which language, and in whose time."""

    language: Language
    zone: ZoneInfo

    def instant(self, text: str) -> str:
        """An instant (RFC 3339) in the zone, with its offset."""
        local = datetime.fromisoformat(text).astimezone(self.zone)
        return f"{local:%Y-%m-%d %H:%M} {local.isoformat()[-6:]}"

    def words(self, notice: Notice) -> Words:
        """What its template says."""
        return TEMPLATES.get(notice.template, OTHER)[self.language]

    def case(self, notice: Notice) -> str:
        """The incident with its category."""
        if notice.incident_id is None:
            return PARTS[self.language]["no_case"]
        incident, names = _clip(notice.incident_id, _CODE_MAX), notice.category
        by_language = (
            ("", "") if names is None else (names.zh, names.en) if self.language == "zh" else (names.en, names.zh)
        )
        name = next(filter(None, by_language), None) or (names and (names.code or names.said))
        if not name:
            return self._part("case_bare", incident=incident)
        return self._part("case", incident=incident, category=_clip(name, _NAME_MAX))

    def sentence(self, notice: Notice) -> str:
        """The whole of one notice."""
        said = self.words(notice).sentence.format(
            case=self.case(notice), report=_clip(notice.report_id or "-", _CODE_MAX)
        )
        said = said[:1].upper() + said[1:]
        details = self._details(notice)
        if not details:
            return said
        parts = PARTS[self.language]
        space = "" if self.language == "zh" else " "
        joined = parts["separator"].join(details)
        return f"{said}{space}{joined[:1].upper()}{joined[1:]}{parts['end']}"

    def _details(self, notice: Notice) -> list[str]:
        """Deadline, place and reason, as far as they are known and meant for this recipient."""
        details = []
        for_reporter = notice.template in FOR_REPORTERS
        if notice.severity is not None and not for_reporter:
            details.append(self._part("severity", severity=notice.severity))
        if notice.due is not None and notice.target is None:
            details.append(self._part("until", due=self.instant(notice.due)))
        elif notice.due is not None:
            details.append(self._part("due", target=self.target(notice), due=self.instant(notice.due)))
        if notice.cell is not None and not for_reporter:
            details.append(self._part("cell", cell=_clip(notice.cell, _CODE_MAX)))
        if notice.reason and (not for_reporter or notice.template in _WITH_REASON):
            details.append(self._part("reason", reason=_clip(notice.reason, _REASON_MAX)))
        return details

    def target(self, notice: Notice) -> str:
        """The name of its target."""
        named = notice.target or ""
        return TARGETS[named][self.language] if named in TARGETS else _clip(named, _NAME_MAX)

    def _part(self, key: str, **values: object) -> str:
        return PARTS[self.language][key].format(**values)


def compose(
    to: str, notices: Sequence[Notice], voice: Voice, *, late: bool = False, address: str | None = None
) -> Message:
    """One message that tells one or more notices to one recipient."""
    if len(notices) == 1:
        subject, text = _alone(notices[0], voice)
    else:
        subject, text = _digest(notices, voice, late=late)
    digest = blake2b("\n".join(notice.notice_id for notice in notices).encode(), digest_size=16)
    message_id = f"msg-{digest.hexdigest()}"
    return Message(message_id, to, _clip(subject, SUBJECT_MAX), text, tuple(notices), late, address)


def _alone(notice: Notice, voice: Voice) -> tuple[str, str]:
    subject = " ".join(filter(None, (voice.words(notice).title, voice.case(notice))))
    return subject, _clip(voice.sentence(notice), TEXT_MAX)


def _digest(notices: Sequence[Notice], voice: Voice, *, late: bool) -> tuple[str, str]:
    """How many of what, from when to when; then as many as there is room for, the worst first."""
    words = DIGEST[voice.language]
    titles = Counter(voice.words(notice).title for notice in notices)
    sums = [words["sum"].format(title=title, count=count) for title, count in titles.most_common(len(TEMPLATES))]
    dates = sorted(notices, key=lambda notice: notice.at_ms)
    lines = [
        words["head"].format(
            first=voice.instant(dates[0].at),
            last=voice.instant(dates[-1].at),
            count=len(notices),
            sums=words["comma"].join(sums),
        )
    ]
    size = len(lines[0])
    worst_first = sorted(notices, key=lambda notice: _MIDDLING if notice.severity is None else notice.severity)
    room = TEXT_MAX - len(words["more"].format(count=len(notices))) - 1
    for told, notice in enumerate(worst_first):
        line = _line(notice, voice)
        size += 1 + len(line)
        if size > room:
            lines.append(words["more"].format(count=len(notices) - told))
            break
        lines.append(line)
    subject = words["late_title" if late else "title"].format(count=len(notices))
    return subject, "\n".join(lines)


def _line(notice: Notice, voice: Voice) -> str:
    words = DIGEST[voice.language]
    due = "" if notice.due is None else words["due"].format(due=voice.instant(notice.due))
    return words["line"].format(title=voice.words(notice).title, case=voice.case(notice)).rstrip(": ") + due


def _clip(text: str, most: int) -> str:
    """At most so many characters, on one line, without control characters."""
    line = " ".join(text.split())
    shown = "".join(letter if letter.isprintable() else "?" for letter in line)
    return shown if len(shown) <= most else shown[: most - 1] + "…"
