"""Pick strikes from a chain: by delta, by width, beside each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from brokerage.schwab.replies import ChainRow
from orders.domain.shapes import Shape
from strategies.domain.symbols import PutCall
from strategies.domain.tickets import Strategy

Strikes = tuple[Decimal, ...]
Places = Mapping[tuple[str, Decimal], ChainRow]


@dataclass(frozen=True, slots=True)
class Picking:
    """How what was left open is picked.

    Args:
        days: the expiration is the first one at least this far away.
        delta: of the strikes nearest to the market, without its sign.
        width: USD from there to the wings.
    """

    days: int = 7
    delta: Decimal = Decimal("0.15")
    width: Decimal = Decimal(5)


USUAL = Picking()


def body_and_wing(shape: Shape, side: PutCall) -> tuple[int, int | None]:
    """Return which strike of a side is its body, and which its wing; one option has no wing.

    The body is the strike nearer to the market: the higher put, the lower call.
    """
    first = shape.sides.index(side)
    if shape.strategy is Strategy.SINGLE_OPTION:
        return first, None
    return (first + 1, first) if side is PutCall.PUT else (first, first + 1)


def pick_strikes(shape: Shape, places: Places, picking: Picking) -> Strikes:
    """Pick bodies by delta and wings beside them; nothing where there are no deltas."""
    bodies = {side: nearest(places, side, picking.delta) for side in dict.fromkeys(shape.sides)}
    found = {side: body for side, body in bodies.items() if body is not None}
    if len(found) != len(bodies):
        return ()
    return _strikes(shape, places, found, picking.width)


def widen(shape: Shape, places: Places, strikes: Strikes, width: Decimal) -> Strikes:
    """Put every wing at a width from its body."""
    bodies = {side: strikes[body_and_wing(shape, side)[0]] for side in dict.fromkeys(shape.sides)}
    return _strikes(shape, places, bodies, width)


def move_body(
    shape: Shape, places: Places, strikes: Strikes, side: PutCall, strike: Decimal
) -> Strikes:
    """Put the body of one side on a strike; its wing keeps its width."""
    body, wing = body_and_wing(shape, side)
    moved = list(strikes)
    moved[body] = strike
    if wing is not None:
        moved[wing] = beside(places, side, strike, strikes[wing] - strikes[body])
    return tuple(moved)


def mirror(shape: Shape, places: Places, before: Strikes, strikes: Strikes) -> Strikes:
    """Let both sides of a condor have the width that one of them was just given.

    If the strikes of a side changed, the other's wing follows; if both did, they stay.
    """
    if shape.strategy is not Strategy.IRON_CONDOR or len(before) != len(strikes):
        return strikes
    put_changed, call_changed = before[:2] != strikes[:2], before[2:] != strikes[2:]
    if put_changed == call_changed:
        return strikes
    wing, put, call, other_wing = strikes
    if put_changed and put > wing:
        return (wing, put, call, beside(places, PutCall.CALL, call, put - wing))
    if call_changed and other_wing > call:
        return (beside(places, PutCall.PUT, put, call - other_wing), put, call, other_wing)
    return strikes


def width_of(shape: Shape, strikes: Strikes) -> Decimal | None:
    """Return the width of the trade; None for one option, and for sides of different widths."""
    if len(strikes) != len(shape.sides) or len(strikes) < 2:
        return None
    widths = {abs(high - low) for low, high in zip(strikes[::2], strikes[1::2], strict=True)}
    return widths.pop() if len(widths) == 1 else None


def all_listed(shape: Shape, places: Places, strikes: Strikes) -> bool:
    """Tell whether there is an option for every strike."""
    return len(strikes) == len(shape.sides) and all(
        place in places for place in zip(shape.sides, strikes, strict=True)
    )


def nearest(places: Places, side: PutCall, delta: Decimal) -> Decimal | None:
    """Return the strike whose delta comes closest to one that is given without its sign."""
    deltas = {
        row.strike: abs(abs(row.delta) - delta)
        for row in places.values()
        if row.put_call == side and row.delta is not None
    }
    return min(deltas, key=lambda strike: deltas[strike], default=None)


def beside(places: Places, side: PutCall, body: Decimal, step: Decimal) -> Decimal:
    """Return the listed strike nearest to one step from the body, on that side of it."""
    beyond = [
        strike
        for its_side, strike in places
        if its_side == side and (strike < body if step < 0 else strike > body)
    ]
    return min(beyond, key=lambda strike: abs(strike - body - step), default=body)


def around(rows: Sequence[ChainRow], strikes: Sequence[Decimal], *, most: int) -> list[ChainRow]:
    """Return so many rows of a side around the strikes chosen, by rising strike.

    Args:
        rows: of one side, by rising strike.
    """
    places = [index for index, row in enumerate(rows) if row.strike in strikes]
    middle = (places[0] + places[-1]) // 2 if places else len(rows) // 2
    first = max(0, min(middle - most // 2, len(rows) - most))
    return list(rows[first : first + most])


def _strikes(
    shape: Shape, places: Places, bodies: Mapping[PutCall, Decimal], width: Decimal
) -> Strikes:
    chosen: list[Decimal] = [Decimal(0)] * len(shape.sides)
    for side, strike in bodies.items():
        body, wing = body_and_wing(shape, side)
        chosen[body] = strike
        if wing is not None:
            step = -width if wing < body else width
            chosen[wing] = beside(places, side, strike, step)
    return tuple(chosen)
