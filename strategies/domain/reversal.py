"""Turn a trade round: the orders that take back what other orders did."""

from collections.abc import Sequence
from dataclasses import replace

from strategies.domain.tickets import Instruction, Leg, PriceEffect, Ticket

_PAIRS = (
    (Instruction.BUY, Instruction.SELL),
    (Instruction.SELL_SHORT, Instruction.BUY_TO_COVER),
    (Instruction.BUY_TO_OPEN, Instruction.SELL_TO_CLOSE),
    (Instruction.SELL_TO_OPEN, Instruction.BUY_TO_CLOSE),
)
_INSTRUCTIONS = {one: other for pair in _PAIRS for one, other in (pair, pair[::-1])}
_EFFECTS = {
    PriceEffect.NET_CREDIT: PriceEffect.NET_DEBIT,
    PriceEffect.NET_DEBIT: PriceEffect.NET_CREDIT,
    PriceEffect.NET_ZERO: PriceEffect.NET_ZERO,
}


def reverse_instruction(instruction: Instruction) -> Instruction:
    """Return the instruction that takes back another one."""
    return _INSTRUCTIONS[instruction]


def reverse_effect(effect: PriceEffect | None) -> PriceEffect | None:
    """Return the price effect of the reversed trade."""
    return None if effect is None else _EFFECTS[effect]


def reverse_legs(legs: Sequence[Leg]) -> tuple[Leg, ...]:
    """Return the same legs in the same order with reversed instructions."""
    return tuple(replace(leg, instruction=reverse_instruction(leg.instruction)) for leg in legs)


def reverse(ticket: Ticket) -> Ticket:
    """Return the ticket with reversed legs and price effect; size, prices and terms stay."""
    return replace(
        ticket,
        legs=reverse_legs(ticket.legs),
        price_effect=reverse_effect(ticket.price_effect),
    )
