"""Tells people what becomes of their tickets: in the app, and by SMS."""
