"""The rules of OAuth 2.0 as plain Python.

Nothing here imports Odoo, so that each decision can be read beside the RFCs and
tested without a database. `models/` stores, `controllers/` speaks HTTP, and both
ask these modules what is right.
"""
