"""What every struct of the file format shares.

A struct whose `key` is set is written as an entry of a mapping (`gas-company: {zh: …}`) and takes its key from there.
`shorthand` names the field a bare value stands for (`verify: true`), `inline` the field the whole mapping is.
"""

from typing import Annotated, ClassVar

import msgspec

from rules.shapes import Between, Ref

Severity = Annotated[int, Between(1, 4)]
Count = Annotated[int, Between(1, 100)]
CalendarRef = Annotated[str, Ref("calendar")]
LevelRef = Annotated[str, Ref("level")]
"""A level of the grid, or `city`."""


class Entry(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """Base of everything a file defines. Defaults are left out, so a new optional field keeps old identities."""

    key: ClassVar[str | None] = None
    shorthand: ClassVar[str | None] = None
    inline: ClassVar[str | None] = None


class Text(Entry, frozen=True):
    """A title in both languages."""

    zh: str = ""
    en: str = ""
