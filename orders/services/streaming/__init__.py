"""The streams of all logins: kept open, and each message a reason to read what changed."""
