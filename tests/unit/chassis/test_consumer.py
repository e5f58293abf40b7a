"""Which failures of a consumer are its event's, and which are not."""

import pytest
from sqlalchemy.exc import OperationalError

from chassis.consumer import _is_infrastructure
from chassis.errors import Permanent, Retryable, Unavailable


@pytest.mark.parametrize(
    ("error", "waits"),
    [
        (OperationalError("", {}, Exception()), True),
        (Unavailable(reason="broker_unusable"), True),
        (Unavailable(reason="broker_lost"), True),
        (Unavailable(reason="deadline"), False),  # the service that was asked is slow or away
        (Unavailable(), False),
        (Retryable(), False),
        (Permanent(), False),
        (KeyError(), False),
    ],
)
def test_only_database_and_broker_are_waited_for_without_counting(
    error: BaseException, waits: bool
) -> None:
    assert _is_infrastructure(error) is waits
