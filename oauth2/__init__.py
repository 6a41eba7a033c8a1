"""The rules of OAuth 2.0 as plain Python.

Nothing here imports Odoo: what these modules decide can be read beside the
RFCs and tested without a database. `models/` stores, `controllers/` speaks
HTTP, and both ask here what is right.
"""
