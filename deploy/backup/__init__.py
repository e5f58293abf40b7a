"""Backup and restore of a whole system: one cut through four databases and the event log."""
