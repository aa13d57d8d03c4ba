"""Names in a sentence."""

from collections.abc import Sequence


def few_of(names: Sequence[str], most: int) -> str:
    """Tell the first names and count the others: "a, b and 3 more"."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
