"""What a sender has in hand when it must end goes back, as if it had never been taken: no loss is
counted, and no failure.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import tuple_, update
from sqlalchemy.orm import Session

from services.notifications.webhooks.handshakes import Asked
from services.notifications.webhooks.models import Delivery, Endpoint
from services.notifications.webhooks.sending import Claimed


def give_back(session: Session, hands: Sequence[Claimed | Asked], at: datetime) -> None:
    """Let them be taken again at once, as far as they are still ours. The numbers stay as they are,
    so that nothing late is recorded of what was given back.
    """
    claimed = [(each.id, each.claim) for each in hands if isinstance(each, Claimed)]
    session.execute(
        update(Delivery)
        .where(tuple_(Delivery.id, Delivery.claim).in_(claimed), Delivery.claimed_at.is_not(None))
        .values(claimed_at=None, next_attempt_at=at)
    )
    asked = [(each.endpoint, each.number) for each in hands if isinstance(each, Asked)]
    session.execute(
        update(Endpoint)
        .where(tuple_(Endpoint.id, Endpoint.handshakes).in_(asked))
        .where(Endpoint.handshake_at.is_not(None))
        .values(handshake_at=at)
    )
