"""Everything that is held on one person here, for the person (PIPL, article 45)."""

from typing import Any
from uuid import UUID

from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from chassis.call import Call
from services.residents import answers, audit, queries, reach, sealing
from services.residents.care import queries as care
from services.residents.care.models import CareTag
from services.residents.models import Duty, Member
from services.residents.personal_models import Consent
from services.residents.vault import Vault


def of_resident(session: Session, call: Call, vault: Vault, person: UUID) -> dict[str, Any]:
    """Their entry in plain text, their duties, homes and consents. Who used it is in their audit.
    Raises NotFound, Forbidden.
    """
    found = queries.person(session, call, person, "residents.export")
    key = audit.key(session, call, vault, found, action=audit.EXPORT, fields=sealing.SEALED)
    duties = select(Duty).where(Duty.person == person).order_by(Duty.id)
    homes = select(Member).where(Member.resident == person).order_by(Member.id)
    # That there is one is for those who look after them, and for themselves.
    own = reach.person(call) == person
    tags = select(CareTag).where(CareTag.resident == person, literal(own)).order_by(CareTag.id)
    consents = select(Consent).where(Consent.person == person).order_by(Consent.id)
    return {
        "resident": answers.exported(found, key),
        "duties": [answers.duty(duty) for duty in session.scalars(duties)],
        "homes": [answers.member(member) for member in session.scalars(homes)],
        "care_tags": [care.answer(tag, key) for tag in session.scalars(tags)],
        "consents": [answers.consent(consent) for consent in session.scalars(consents)],
    }
