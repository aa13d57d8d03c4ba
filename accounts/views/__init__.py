"""Pages and streams about people and accounts."""
