"""What residents' entrypoints are given beside the chassis' own dependencies."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from nameko.extensions import DependencyProvider
from sqlalchemy.orm import Session

from chassis.call import Call
from chassis.context import CALL
from chassis.database import Database, Transactions
from chassis.events import CloudEvent
from services.residents import audit
from services.residents.reach import Denied, Hidden
from services.residents.vault import Vault


class AuditedTransactions(Transactions):
    """Transactions after which a refusal is in the audit, although what it ended is undone."""

    call: Call

    @contextmanager
    def transaction(self, event: CloudEvent | None = None) -> Iterator[Session]:
        """As `Transactions.transaction`. A refusal that cannot be noted is not answered either."""
        try:
            with super().transaction(event) as session:
                yield session
        except (Hidden, Denied) as refusal:
            with super().transaction() as session:
                audit.refused(session, self.call, refusal)
            raise


class AuditedDatabase(Database):
    """Gives each worker `AuditedTransactions` for the call that it answers."""

    def get_dependency(self, worker_ctx: Any) -> AuditedTransactions:
        transactions = AuditedTransactions(
            self.engine, self.waker, self.consumer(worker_ctx), self.seen(worker_ctx)
        )
        transactions.call = worker_ctx.data.get(CALL) or Call()
        return transactions


class PersonalVault(DependencyProvider):  # type: ignore[misc]
    """Gives each worker the vault, made once from the settings' keys."""

    vault: Vault

    def setup(self) -> None:
        settings = self.container.config["settings"]
        self.vault = Vault(settings.master_keys, settings.blind_index_key)

    def get_dependency(self, worker_ctx: Any) -> Vault:
        return self.vault


class PhoneHold(DependencyProvider):  # type: ignore[misc]
    """Gives each worker how long a number waits that somebody else gave a person."""

    def get_dependency(self, worker_ctx: Any) -> timedelta:
        return timedelta(hours=self.container.config["settings"].phone_hold_hours)
