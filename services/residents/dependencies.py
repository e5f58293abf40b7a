"""What residents' entrypoints are given beside the chassis' own dependencies."""

from typing import Any

from nameko.extensions import DependencyProvider

from services.residents.vault import Vault


class PersonalVault(DependencyProvider):  # type: ignore[misc]
    """Gives each worker the vault, made once from the settings' keys."""

    vault: Vault

    def setup(self) -> None:
        settings = self.container.config["settings"]
        self.vault = Vault(settings.master_keys, settings.blind_index_key)

    def get_dependency(self, worker_ctx: Any) -> Vault:
        return self.vault
