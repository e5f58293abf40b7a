"""Residents: places, people, their duties and the departments, and the protection of what is
personal.
"""
