"""What the API promises of deliveries is what the service that makes them knows."""

from services.gateway.schemas.inbox import DELIVERY_REASONS, DELIVERY_STATES
from services.notifications.outcome import Reason, State


def test_the_states_and_reasons_of_deliveries_are_those_of_notifications():
    assert list(DELIVERY_STATES) == [str(state) for state in State]
    assert list(DELIVERY_REASONS) == [str(reason) for reason in Reason]
