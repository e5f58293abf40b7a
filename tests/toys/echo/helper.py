"""What works beside the toy: told to end, it takes its time, and what it has done is an event."""

import signal
import sys
import time

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from chassis import database, logs
from chassis.call import system_call
from chassis.process import die_with_parent
from chassis.settings import ServiceSettings
from tests.toys.echo.service import add_event

log = logs.get("helper")

WORK = 2.0
"""Seconds that it takes to end."""


def main(service: str, parent: int) -> None:
    die_with_parent(parent)
    settings = ServiceSettings.load(service)
    logs.configure(f"{service}-helper", settings.log_level)
    signal.signal(signal.SIGTERM, lambda *_: log.info("helper_told"))
    log.info("helper_started")
    # Returns once the signal was handled.
    signal.pause()
    time.sleep(WORK)
    engine = database.make_engine(settings, pool_size=1)
    with Session(engine) as session, session.begin():
        add_event(session, system_call(service), "helped", 1)
    _wait_for_relay(engine)
    log.info("helper_ended")


def _wait_for_relay(engine: Engine) -> None:
    """Until the event has been published: there is somebody who does it."""
    left = True
    while left:
        time.sleep(0.05)
        with engine.connect() as connection:
            left = connection.scalar(text("SELECT EXISTS (SELECT FROM outbox)"))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
