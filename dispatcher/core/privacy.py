"""Masking: free text may hold names and numbers, so what leaves the engine carries them blotted out.

Numbers of seven digits and more (telephones, identity cards, plates with long numbers; dates and coordinates go with
them), e-mail addresses and everything under a report's `reporter` key. Of a message that is not JSON nothing is shown
from the first `reporter` on. Names inside free text are not recognised: docs/limits.md says so.
"""

import re
from hashlib import blake2b

import orjson

__all__ = ["is_code", "mask_code", "mask_original", "mask_text", "shown_person"]

ORIGINAL_CHARS_MAX = 4_096  # enough to repair a report by hand; whole messages stay on `reports` for seven days

_LONG_NUMBER = re.compile(r"\+?\d(?:[\s\-–—·./()（）]{0,3}\d){5,}[\s\-–—·./()（）]{0,3}[\dxX]")
_EMAIL = re.compile(r"[\w.+\-]{1,64}[@＠][\w\-]+(?:[.．。][\w\-]+)+")
_CODE = re.compile(r"[\w.\-]{1,64}(?:@[\w\-]{1,64})?")  # also a unit: department@cell
_CODE_DIGITS_MAX = 10  # a mobile number has eleven
_TIME = re.compile(r"\d{4}-\d\d-\d\d[\dTtZz:.+\- ]{0,30}")
_REPORTER = re.compile(r"reporter\b.*", re.IGNORECASE | re.DOTALL)
_IDS = frozenset({"report_id", "update_id", "incident_id"})
_CODES = frozenset({"source", "category"})
_TIMES = frozenset({"reported_at", "promised_at", "at"})


def mask_text(text: str) -> str:
    """Free text with long numbers and e-mail addresses blotted out; for a text without either, the text itself."""
    if "@" in text or "＠" in text:
        text = _EMAIL.sub("***", text)
    return _LONG_NUMBER.sub("***", text)


def is_code(text: str) -> bool:
    """Whether it looks like a code and not like a telephone number or somebody's name."""
    return _CODE.fullmatch(text) is not None and sum(map(str.isdigit, text)) <= _CODE_DIGITS_MAX


def mask_code(text: str) -> str:
    """A code or alias as somebody wrote it: itself when it looks like a code, else masked as text."""
    return text if is_code(text) else mask_text(text)


def shown_person(person: str) -> str:
    """A staff code as it is published; one that looks like a telephone or identity number goes by its digest.

    The digest keeps two people apart (claims, who dispatched and who checks) without telling who they are.
    """
    shown = mask_code(person)
    return shown if shown == person else f"#{blake2b(person.encode(), digest_size=6).hexdigest()}"


def mask_original(value: bytes | None) -> str:
    """A rejected message as text that can be shown: no reporter, texts masked, at most 4,096 characters."""
    if not value:
        return ""
    try:
        document = orjson.loads(value[: 1 << 20])
    except orjson.JSONDecodeError:
        return _masked_bytes(value)
    return orjson.dumps(_masked("", document)).decode()[:ORIGINAL_CHARS_MAX]


def _masked_bytes(value: bytes) -> str:
    """What is no JSON: twice the length is masked before it is cut, so that no number loses its head to the cut."""
    text = value[: 2 * ORIGINAL_CHARS_MAX].replace(b"\0", b"").decode("utf-8", "replace")  # NUL: UTF-16, cut in half
    return mask_text(_REPORTER.sub("…", text))[:ORIGINAL_CHARS_MAX]


def _masked(key: str, item: object, depth: int = 0) -> object:
    if isinstance(item, str):
        if key in _CODES:
            return mask_code(item)
        return item if key in _IDS or (key in _TIMES and _TIME.fullmatch(item)) else mask_text(item)
    if depth > 8:
        return "…"
    if isinstance(item, dict):
        return {
            mask_code(name): _masked(name, value, depth + 1)
            for name, value in item.items()
            if name.strip().lower() != "reporter"
        }
    if isinstance(item, list):
        return [_masked("", value, depth + 1) for value in item]
    if isinstance(item, int | float) and abs(item) > 999_999:
        return "***"
    return item
