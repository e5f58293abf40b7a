"""`accounts`: logins with a password, for staff."""

from typing import Any
from uuid import UUID

from chassis.clock import iso, now
from services.gateway.accounts import LoginTaken, NewAccount, create_account
from services.gateway.api.asking import check_person
from services.gateway.api.capability import Capability
from services.gateway.authentication import BeyondScopes
from services.gateway.exchange import Ask
from services.gateway.operation import operation
from services.gateway.passwords import hash_password
from services.gateway.policy import SCOPES
from services.gateway.schemas import sessions as schemas


class Accounts(Capability):
    """An administrator gives people a login and a password."""

    @operation(
        "POST",
        "/accounts",
        policy="accounts.write",
        body=schemas.NewAccount,
        answer=schemas.AccountMade,
        status=201,
        errors=(LoginTaken, BeyondScopes),
    )
    def create_account(self, ask: Ask) -> Any:
        """Give a person a login and a password."""
        # A login opens all that its owner may do: of keys, only one with all scopes gives any.
        ask.caller.check_giving(SCOPES.keys())
        check_person(self, ask, ask.body["person"], "/person")
        new = NewAccount(
            login=ask.body["login"].casefold(),
            person=UUID(ask.body["person"]),
            password_hash=hash_password(ask.body["password"]),
        )
        with self.db.transaction() as session:
            account = create_account(session, new, UUID(ask.call.command_id), now())
        return {
            "id": str(account.id),
            "person": str(account.person),
            "login": account.login,
            "created_at": iso(account.created_at),
        }
