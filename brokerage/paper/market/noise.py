"""Numbers that look random and are the same on every run, made by hashing what they belong to."""

from hashlib import blake2b
from statistics import NormalDist

BITS = 64
STANDARD = NormalDist()


def integer(*parts: object) -> int:
    """Hash these parts to an evenly spread integer of 64 bits."""
    text = "|".join(map(str, parts))
    return int.from_bytes(blake2b(text.encode(), digest_size=BITS // 8).digest(), "big")


def uniform(*parts: object) -> float:
    """Hash these parts to a number between 0 and 1, both excluded."""
    return ((integer(*parts) >> 12) + 0.5) / 2.0 ** (BITS - 12)


def normal(*parts: object) -> float:
    """Hash these parts to a draw of the standard normal distribution."""
    return STANDARD.inv_cdf(uniform(*parts))
