"""Exits of placed order sets: opened by a click, carried on until the broker says flat."""
