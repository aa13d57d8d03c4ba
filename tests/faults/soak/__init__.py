"""The soak: broadcasts to 45 accounts with random faults, and a count of what went wrong."""
