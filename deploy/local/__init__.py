"""Linli on one machine: private servers and the launcher behind `make up`. Not for production."""
