"""What a ticket form knows of a trade before it has symbols: its shape and sides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from strategies.domain.catalog import (
    Structure,
    VerticalKind,
    iron_condor,
    share_order,
    single_option,
    vertical,
)
from strategies.domain.symbols import PutCall, format_option
from strategies.domain.tickets import Instruction, Strategy


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind of trade in an underlying.

    Args:
        kind: of a vertical; other strategies ignore it.
        side: of a single option.
        instruction: of a single option or shares.
    """

    strategy: Strategy
    underlying: str
    kind: VerticalKind
    side: PutCall
    instruction: Instruction

    @property
    def sides(self) -> tuple[PutCall, ...]:
        """The side of each strike, in the order in which they are asked for."""
        match self.strategy:
            case Strategy.IRON_CONDOR:
                return (PutCall.PUT, PutCall.PUT, PutCall.CALL, PutCall.CALL)
            case Strategy.VERTICAL:
                return (self.kind.put_call, self.kind.put_call)
            case Strategy.SINGLE_OPTION:
                return (self.side,)
        return ()

    def build(self, *, root: str, expiration: date, strikes: Sequence[Decimal]) -> Structure:
        """Return the trade with these strikes, as many as `sides` has.

        Errors: ImpossibleTrade, InvalidSymbol.
        """
        match self.strategy:
            case Strategy.IRON_CONDOR:
                put_wing, put_body, call_body, call_wing = strikes
                return iron_condor(
                    root=root,
                    expiration=expiration,
                    put_wing=put_wing,
                    put_body=put_body,
                    call_body=call_body,
                    call_wing=call_wing,
                )
            case Strategy.VERTICAL:
                lower, upper = strikes
                return vertical(
                    self.kind, root=root, expiration=expiration, lower=lower, upper=upper
                )
        (strike,) = strikes
        symbol = format_option(root=root, expiration=expiration, put_call=self.side, strike=strike)
        return single_option(symbol, self.instruction)

    def build_shares(self) -> Structure:
        """Return the order in shares. Errors: ImpossibleTrade."""
        return share_order(self.underlying, self.instruction)
