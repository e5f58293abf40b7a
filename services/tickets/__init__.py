"""Tickets: every kind of ticket, what it is about, who has it, and what became of it."""
