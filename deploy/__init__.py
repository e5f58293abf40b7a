"""What sets Linli up and operates it: the broker, the local launcher, the `linli` command."""
