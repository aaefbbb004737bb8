"""Migrations of the relational stores, run when they are opened."""
