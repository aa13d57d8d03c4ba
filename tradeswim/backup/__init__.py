"""Backups: one encrypted file of the whole database, whose keys are kept elsewhere."""
