"""Migrates every service's database in one process: importing the tools is most of the work."""

from chassis import migrate
from deploy.local.environment import SERVICES

if __name__ == "__main__":
    for service in SERVICES:
        migrate.main(f"services.{service}")
