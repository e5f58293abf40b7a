"""What every service stands on: database, events, RPC, HTTP, health and the runner; no domain word
in it.
"""

__version__ = "0.1.0"
"""Of the product, as pyproject.toml has it."""
