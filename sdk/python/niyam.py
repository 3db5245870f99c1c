"""What a module in Python needs beside the contract: exact decimals and findings.

A decimal of the contract is `(low, high, scale)`: `((high << 64) | low)` times 10^-scale. `read` makes a
`decimal.Decimal` of it and `write` goes back. Never compute money with a float.
"""

from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_UP, Context, Decimal, setcontext
from typing import Optional

from wit_world.imports import types

# Wide enough for products of two decimals of the contract, so that nothing is rounded but where it is said.
setcontext(Context(prec=80, Emax=MAX_EMAX, Emin=MIN_EMIN))


def read(value: types.Decimal) -> Decimal:
    """A decimal of the contract, to compute with."""
    return Decimal((value.high << 64) | value.low).scaleb(-value.scale)


def write(value: Decimal) -> types.Decimal:
    """Back to the contract's form, with as many decimals as `value` shows."""
    _, _, exponent = value.as_tuple()
    scale = max(0, -exponent)
    units = int(value.scaleb(scale))
    return types.Decimal(units & 0xFFFF_FFFF_FFFF_FFFF, units >> 64, scale)


def round_half_up(value: Decimal, places: int) -> Decimal:
    """Rounds half away from zero to `places` decimals and shows all of them: 21.735 becomes 21.74, 5 becomes 5.00."""
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def error(
    code: str, message: str, pointer: Optional[str] = None, citation: Optional[types.Citation] = None
) -> types.Finding:
    """A finding that stops the command. A function that may refuse raises `Err` of a list of these."""
    return types.Finding(code, types.Severity.ERROR, pointer, message, citation)
