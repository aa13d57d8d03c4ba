"""What the paper broker answers, by use case."""
