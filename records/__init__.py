"""The records API as plain Python: offers, the filter language, cursors, problems, the OpenAPI document.

Nothing here imports Odoo. `models/` reads the records, `controllers/` speaks HTTP.
"""
