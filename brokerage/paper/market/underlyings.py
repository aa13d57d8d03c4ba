"""What the paper broker's market trades: its shares, funds and indexes with their fixed facts."""

from dataclasses import dataclass
from enum import StrEnum

from strategies.domain.ticks import PENNY_ROOTS

WEDNESDAY, FRIDAY = 2, 4
EXCHANGES = {"Q": "NASDAQ", "N": "NYSE", "P": "NYSE Arca", "0": "Index"}


class Kind(StrEnum):
    SHARE = "SHARE"
    FUND = "FUND"
    INDEX = "INDEX"


@dataclass(frozen=True, slots=True)
class Underlying:
    """One share, fund or index.

    Args:
        symbol: as it is quoted (`$SPX`).
        name: what the broker calls it.
        price: USD at the start; the strikes are laid around it.
        volatility: a year's, 0.16 for 16 %.
        driver: underlyings with the same driver and volatility move by the same percentage.
        beta: correlation of the driver with the whole market.
        grid: strikes as (width, reach) zones from the inside out; a reach of 0.08 is 8 % each way.
        monthly_root: root of the monthly options that settle in the morning; None if none do.
        root: root of every other option.
        daily: whether an option expires on every one of the next trading days.
        weekday: the day on which weekly options expire.
    """

    symbol: str
    name: str
    price: float
    volatility: float
    kind: Kind
    cusip: str
    exchange: str
    driver: str
    beta: float
    grid: tuple[tuple[float, float], ...]
    root: str
    monthly_root: str | None = None
    daily: bool = False
    weekday: int = FRIDAY

    @property
    def is_index(self) -> bool:
        """Whether only its options can be traded."""
        return self.kind is Kind.INDEX

    @property
    def common(self) -> str:
        """The name people use: `SPX` for `$SPX`."""
        return self.symbol.removeprefix("$")

    @property
    def exchange_name(self) -> str:
        """The exchange in words; its letter is the broker's code for it."""
        return EXCHANGES[self.exchange]

    @property
    def has_penny_options(self) -> bool:
        """Whether its cheap options are priced in cents."""
        return self.common in PENNY_ROOTS or self.common == "XSP"


def share(
    symbol: str, name: str, price: float, volatility: float, cusip: str, exchange: str = "N"
) -> Underlying:
    """Describe a share whose strikes are as wide as its price makes them at an exchange."""
    width = 0.5 if price < 25 else 1.0 if price < 100 else 2.5 if price < 250 else 5.0
    grid = ((width, 0.30), (width * 4, 0.70))
    return Underlying(
        symbol, name, price, volatility, Kind.SHARE, cusip, exchange, symbol, 0.6, grid, symbol
    )


def fund(
    symbol: str,
    name: str,
    price: float,
    volatility: float,
    cusip: str,
    driver: str,
    *,
    beta: float,
    daily: bool,
) -> Underlying:
    """Describe an exchange-traded fund; its strikes are 1 wide."""
    grid = ((1.0, 0.12), (5.0, 0.60))
    return Underlying(
        symbol,
        name,
        price,
        volatility,
        Kind.FUND,
        cusip,
        "P",
        driver,
        beta,
        grid,
        symbol,
        daily=daily,
    )


SPX_GRID = ((5.0, 0.08), (25.0, 0.20), (100.0, 0.60))
NDX_GRID = ((25.0, 0.06), (50.0, 0.20), (250.0, 0.60))
RUT_GRID = ((5.0, 0.12), (25.0, 0.60))
XSP_GRID = ((1.0, 0.12), (5.0, 0.60))
VIX_GRID = ((0.5, 0.50), (1.0, 2.0))

INDEXES = (
    Underlying(
        "$SPX",
        "S & P 500 INDEX",
        6500.0,
        0.15,
        Kind.INDEX,
        "",
        "0",
        "SPX",
        1.0,
        SPX_GRID,
        root="SPXW",
        monthly_root="SPX",
        daily=True,
    ),
    Underlying(
        "$XSP", "MINI SPX INDEX", 650.0, 0.15, Kind.INDEX, "", "0", "SPX", 1.0, XSP_GRID, root="XSP"
    ),
    Underlying(
        "$NDX",
        "NASDAQ 100 INDEX",
        23500.0,
        0.20,
        Kind.INDEX,
        "",
        "0",
        "NDX",
        0.92,
        NDX_GRID,
        root="NDXP",
        monthly_root="NDX",
    ),
    Underlying(
        "$RUT",
        "RUSSELL 2000 INDEX",
        2350.0,
        0.22,
        Kind.INDEX,
        "",
        "0",
        "RUT",
        0.85,
        RUT_GRID,
        root="RUTW",
        monthly_root="RUT",
    ),
    Underlying(
        "$VIX",
        "CBOE VOLATILITY INDEX",
        17.0,
        0.90,
        Kind.INDEX,
        "",
        "0",
        "VIX",
        -0.75,
        VIX_GRID,
        root="VIXW",
        monthly_root="VIX",
        weekday=WEDNESDAY,
    ),
)

FUNDS = (
    fund("SPY", "SPDR S&P 500 ETF TRUST", 648.0, 0.15, "78462F103", "SPX", beta=1.0, daily=True),
    fund(
        "QQQ", "INVESCO QQQ TRUST SERIES 1", 572.0, 0.20, "46090E103", "NDX", beta=0.92, daily=True
    ),
    fund(
        "IWM", "ISHARES RUSSELL 2000 ETF", 233.0, 0.22, "464287655", "RUT", beta=0.85, daily=False
    ),
    fund(
        "DIA",
        "SPDR DOW JONES INDUSTRIAL AVERAGE ETF",
        456.0,
        0.14,
        "78467X109",
        "DJI",
        beta=0.9,
        daily=False,
    ),
)

SHARES = (
    share("AAPL", "APPLE INC", 232.0, 0.27, "037833100", "Q"),
    share("MSFT", "MICROSOFT CORP", 505.0, 0.24, "594918104", "Q"),
    share("NVDA", "NVIDIA CORP", 178.0, 0.42, "67066G104", "Q"),
    share("AMZN", "AMAZON.COM INC", 228.0, 0.31, "023135106", "Q"),
    share("META", "META PLATFORMS INC", 745.0, 0.33, "30303M102", "Q"),
    share("GOOGL", "ALPHABET INC CLASS A", 207.0, 0.29, "02079K305", "Q"),
    share("TSLA", "TESLA INC", 342.0, 0.55, "88160R101", "Q"),
    share("AMD", "ADVANCED MICRO DEVICES", 164.0, 0.48, "007903107", "Q"),
    share("NFLX", "NETFLIX INC", 1215.0, 0.33, "64110L106", "Q"),
    share("JPM", "JPMORGAN CHASE & CO", 298.0, 0.23, "46625H100"),
    share("BAC", "BANK OF AMERICA CORP", 49.5, 0.26, "060505104"),
    share("WMT", "WALMART INC", 97.0, 0.21, "931142103"),
    share("XOM", "EXXON MOBIL CORP", 112.0, 0.24, "30231G102"),
    share("KO", "COCA-COLA CO", 69.0, 0.16, "191216100"),
    share("DIS", "WALT DISNEY CO", 118.0, 0.26, "254687106"),
    share("INTC", "INTEL CORP", 24.4, 0.50, "458140100", "Q"),
    share("F", "FORD MOTOR CO", 11.7, 0.35, "345370860"),
    share("PLTR", "PALANTIR TECHNOLOGIES INC", 157.0, 0.60, "69608A108", "Q"),
    share("T", "AT&T INC", 29.2, 0.22, "00206R102"),
)

UNDERLYINGS = {one.symbol: one for one in (*INDEXES, *FUNDS, *SHARES)}
BY_ROOT = {
    root: one
    for one in UNDERLYINGS.values()
    for root in (one.root, one.monthly_root)
    if root is not None
}


def find_underlying(symbol: str) -> Underlying | None:
    """Find an underlying by its common or its quote name: `SPX` and `$SPX` are the same."""
    return UNDERLYINGS.get(symbol) or UNDERLYINGS.get(f"${symbol}")
