"""Shared by the commands of dev/: the cache, the virtual environment, Odoo and PostgreSQL."""
