"""What every service stands on: database, events, RPC, HTTP, health and the runner; no domain word
in it.
"""
