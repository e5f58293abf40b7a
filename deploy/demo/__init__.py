"""A month of a community of nine old estates, played against a running system over HTTP."""
