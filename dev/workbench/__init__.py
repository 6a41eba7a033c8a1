"""What the commands of dev/ share: the cache, the virtual environment, Odoo and PostgreSQL."""
