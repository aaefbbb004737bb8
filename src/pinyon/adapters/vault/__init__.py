"""Keys and seals for what is stored."""

from pinyon.adapters.vault.keyring import DataKey, Keyring

__all__ = ["DataKey", "Keyring"]
