"""Imports: files of areas or residents, worked through row by row in the background."""
