"""Measurements: programs that print figures, and hold nobody to them."""
