"""An incident in few bytes, to be kept in memory and nowhere else.

Its fields in their order as one MessagePack array. What many incidents say alike (the decision, a path of cells, the
words of a target or an assignment) is written as the number of a word that is kept once.
"""

from collections.abc import Hashable, Iterable
from operator import attrgetter, itemgetter
from types import GenericAlias
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import astuple, fields

from dispatcher.core.incident import Assignment, Brief, Decided, Incident, Target
from dispatcher.core.lifecycle import OPEN_STATES, IncidentState
from geo import Place
from rules import Facts

__all__ = ["Glance", "Words", "glance_packed", "pack_incident", "unpack_incident"]

WORDS_MAX = 200_000  # of some 300 bytes; a day of a city with 6,063 leaves under 1,000 rules has a tenth of it


K = TypeVar("K", bound=Struct)


class Words:
    """What many incidents say alike, once. When it is full, new words are written out where they stand."""

    def __init__(self, words_max: int = WORDS_MAX) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._words: list[Any] = []
        self._words_max = words_max

    def number(self, word: Hashable) -> Hashable:
        """The number of a word, or the word itself."""
        number = self._numbers.get(word)
        if number is None:
            if len(self._words) >= self._words_max:
                return word
            number = self._numbers[word] = len(self._words)
            self._words.append(word)
        return number

    def word(self, number: object) -> Any:  # noqa: ANN401 - whatever was put in
        """The word of a number; one that was written out is itself."""
        return self._words[number] if isinstance(number, int) else number


class Glance(Struct, frozen=True, gc=False):
    """As much of an incident as says where it is to be looked for."""

    incident_id: str
    state: IncidentState
    category: str | None
    place: Place
    asset: str | None

    @property
    def open(self) -> bool:
        """Not ended."""
        return self.state in OPEN_STATES


def _tuple_of(types: Iterable[object]) -> GenericAlias:
    return tuple.__class_getitem__(tuple(types))


class _Form(Generic[K]):
    """How one kind of struct is packed: some of its fields together as one word, then the others.

    JSON leaves out a text that *is* the default and writes one that only equals it, so the default itself is packed as
    nothing and comes back as itself.
    """

    def __init__(self, kind: type[K], *alike: str) -> None:
        types = {field.name: field.type for field in fields(kind)}
        texts = {field.name: field.default for field in fields(kind) if isinstance(field.default, str)}
        own = [name for name in types if name not in alike]
        written = [*alike, *own]
        self._kind = kind
        self._single = len(alike) == 1
        self._alike, self._own = attrgetter(*alike), attrgetter(*own)
        self._in_order = itemgetter(*[written.index(name) for name in types])
        word = types[alike[0]] if self._single else _tuple_of(types[name] for name in alike)
        self.packed = _tuple_of([int | word, *[types[name] | None if name in texts else types[name] for name in own]])
        self._defaults = [(at, texts[name]) for at, name in enumerate(own) if name in texts]

    def pack(self, one: K, words: Words) -> list[Any]:
        own = list(self._own(one))
        for at, default in self._defaults:
            if own[at] is default:
                own[at] = None
        return [words.number(self._alike(one)), *own]

    def unpack(self, packed: tuple[Any, ...], words: Words) -> K:
        alike = words.word(packed[0])
        own = list(packed[1:])
        for at, default in self._defaults:
            if own[at] is None:
                own[at] = default
        return self._kind(*self._in_order([alike, *own] if self._single else [*alike, *own]))


_PLACE = _Form(Place, "cell", "path")
_FACTS = _Form(Facts, "path")
_PART = _Form(Assignment, "department", "unit", "role", "task", "required", "by")
_TARGET = _Form(Target, "name", "of", "budget", "clock", "by")
_PACKED_TYPES: dict[str, Any] = {
    "place": _PLACE.packed,
    "facts": _FACTS.packed,
    "decided": int | Decided,
    "lead": _PART.packed | None,
    "support": _tuple_of((_PART.packed, ...)),
    "targets": _tuple_of((_TARGET.packed, ...)),
    "brief": _tuple_of(field.type for field in fields(Brief)) | None,
}
_FIELDS: list[tuple[str, Any]] = [(field.name, _PACKED_TYPES.get(field.name, field.type)) for field in fields(Incident)]
_AT = {name: at for at, (name, _) in enumerate(_FIELDS)}
_ID, _AT_PLACE, _AT_FACTS, _AT_DECIDED = (_AT[name] for name in ("incident_id", "place", "facts", "decided"))
_AT_LEAD, _AT_SUPPORT, _AT_TARGETS, _AT_BRIEF = (_AT[name] for name in ("lead", "support", "targets", "brief"))
_GLANCED = ("state", "category", "place", "asset")


def _decoder(known: list[tuple[str, Any]]) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(msgspec.defstruct("Packed", known, array_like=True, gc=False))


_encode = msgspec.msgpack.Encoder().encode
_decode = _decoder(_FIELDS).decode
_decode_glance = _decoder(
    [(name, kind if name in _GLANCED else msgspec.Raw) for name, kind in _FIELDS[: max(_AT[n] for n in _GLANCED) + 1]]
).decode


def pack_incident(incident: Incident, words: Words) -> bytes:
    """Everything of an incident but its id, which whoever keeps the bytes has as their key.

    Raises:
        OverflowError: one of its numbers has more than 64 bits.
    """
    values: list[Any] = list(astuple(incident))
    values[_ID] = ""
    values[_AT_PLACE] = _PLACE.pack(incident.place, words)
    values[_AT_FACTS] = _FACTS.pack(incident.facts, words)
    values[_AT_DECIDED] = words.number(incident.decided)
    if incident.lead is not None:
        values[_AT_LEAD] = _PART.pack(incident.lead, words)
    values[_AT_SUPPORT] = [_PART.pack(part, words) for part in incident.support]
    values[_AT_TARGETS] = [_TARGET.pack(target, words) for target in incident.targets]
    if incident.brief is not None:
        values[_AT_BRIEF] = astuple(incident.brief)
    return _encode(values)


def unpack_incident(incident_id: str, packed: bytes | memoryview, words: Words) -> Incident:
    """The incident again, equal in every field."""
    values: list[Any] = list(astuple(_decode(packed)))
    values[_ID] = incident_id
    values[_AT_PLACE] = _PLACE.unpack(values[_AT_PLACE], words)
    values[_AT_FACTS] = _FACTS.unpack(values[_AT_FACTS], words)
    values[_AT_DECIDED] = words.word(values[_AT_DECIDED])
    if values[_AT_LEAD] is not None:
        values[_AT_LEAD] = _PART.unpack(values[_AT_LEAD], words)
    values[_AT_SUPPORT] = tuple([_PART.unpack(part, words) for part in values[_AT_SUPPORT]])
    values[_AT_TARGETS] = tuple([_TARGET.unpack(target, words) for target in values[_AT_TARGETS]])
    if values[_AT_BRIEF] is not None:
        values[_AT_BRIEF] = Brief(*values[_AT_BRIEF])
    return Incident(*values)


def glance_packed(incident_id: str, packed: bytes | memoryview, words: Words) -> Glance:
    """Where to look for it, without the rest."""
    seen = _decode_glance(packed)
    return Glance(incident_id, seen.state, seen.category, _PLACE.unpack(seen.place, words), seen.asset)
