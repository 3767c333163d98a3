"""The days of a period as bars: how many cases each had, and how many of them are closed. Geometry only, no style."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from dispatcher.views import Rate

__all__ = ["HEIGHT", "Bar", "bars", "width_of"]

HEIGHT: Final = 100  # of the highest, in units of the drawing
_STEP: Final = 14  # from one bar to the next
_WIDE: Final = 10
_LEAST: Final = 2  # a day with cases is to be seen, and hit


class Bar(NamedTuple):
    """Two bars at one place: all of a day, and the part of them."""

    x: int
    width: int
    y: float
    height: float
    part_y: float
    part_height: float


def bars(rates: Sequence[Rate]) -> list[Bar]:
    """One for each rate, in order."""
    most = max((rate.denominator for rate in rates), default=0) or 1
    return [_bar(at, rate, most) for at, rate in enumerate(rates)]


def width_of(count: int) -> int:
    """Of the whole drawing."""
    return max(count, 1) * _STEP


def _bar(at: int, rate: Rate, most: int) -> Bar:
    whole = max(HEIGHT * rate.denominator / most, _LEAST) if rate.denominator else 0.0
    part = whole * rate.numerator / rate.denominator if rate.denominator else 0.0
    whole, part = round(whole, 1), round(part, 1)
    return Bar(at * _STEP + (_STEP - _WIDE) // 2, _WIDE, HEIGHT - whole, whole, HEIGHT - part, part)
