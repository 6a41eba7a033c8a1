from odoo import fields, models
from odoo.fields import NO_ACCESS
from odoo.tools import SQL

#: 244 random bits made by PostgreSQL, so that the key is in no statement and no log of statements.
NEW_KEY = SQL("replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '')")


class OrestapiKey(models.Model):
    """A secret key of this database that a restored backup must bring along.

    It has its own table, because Odoo's administrators can read and export system
    parameters. Nobody has access to this table or any of its fields; `orestapi.server`
    reads it with SQL.
    """

    _name = 'orestapi.key'
    _description = "Key"
    _log_access = False

    purpose = fields.Char(required=True, groups=NO_ACCESS)
    value = fields.Char(required=True, groups=NO_ACCESS)

    _purpose_unique = models.UniqueIndex('(purpose)')

    def init(self):
        # For an installation. An upgrade finds the key, or its migration sets it.
        self.env['orestapi.server']._create_keys(self.env.cr)
