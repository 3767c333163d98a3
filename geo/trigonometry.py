"""Sine and cosine from +, × and rounding alone.

IEEE 754 fixes those operations to the last bit; it does not fix `sin`. A library's sine may differ in its last bit
between machines, versions and SIMD widths, and a converted position is written into records that must come out byte
for byte the same on every worker, however the batch was cut. So the polynomial is ours.
"""

import math

import numpy as np
import numpy.typing as npt

# Taylor coefficients of sin(x)/x in x², highest first. Cut off after x^21: on |x| <= pi/2 the next term is below 2e-18,
# a hundredth of the last bit.
_SINE = tuple((-1.0) ** k / math.factorial(2 * k + 1) for k in range(10, -1, -1))


def sin_pi(turns: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """sin(pi·t), element by element, within 2e-16 for the reduced argument; t must be finite."""
    t = np.asarray(turns, dtype=np.float64)
    r = t - 2.0 * np.rint(0.5 * t)  # exact: whole periods are representable, so nothing is lost
    r = np.where(np.abs(r) > 0.5, np.copysign(1.0, r) - r, r)  # sin(pi - x) = sin(x)
    x = math.pi * r
    square = x * x
    series = np.full_like(x, _SINE[0])
    for coefficient in _SINE[1:]:
        series = series * square + coefficient
    return np.asarray(x * series, dtype=np.float64)


def cos_pi(turns: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """cos(pi·t), element by element; t must be finite."""
    return sin_pi(0.5 - np.abs(np.asarray(turns, dtype=np.float64)))
