import base64
import csv
import io

from odoo import fields, models

#: The columns of the file.
COLUMNS = (
    'create_date', 'kind', 'message', 'remedy', 'application_name', 'user_name', 'actor_name', 'address', 'sent',
    'expected', 'field_name', 'old_value', 'new_value', 'reference',
)  # fmt: skip

#: A spreadsheet treats a value that begins with one of these as a formula (CWE-1236).
FORMULA = ('=', '+', '-', '@', '\t', '\r')


class OrestapiEventExport(models.TransientModel):
    """A file of events, for people who may read events but not export other data of Odoo."""

    _name = 'orestapi.event.export'
    _description = "Export of Events"

    name = fields.Char(required=True, readonly=True)
    content = fields.Binary(required=True, readonly=True, attachment=False)


class OrestapiEvent(models.Model):
    _inherit = 'orestapi.event'

    def action_export(self):
        """Download the events as CSV (RFC 4180, UTF-8), the oldest first.

        :return: the action that downloads the file
        """
        self.check_access('read')
        # sudo: orestapi.event.export - nobody may create one by hand; it has only events that the user may read
        exports = self.env['orestapi.event.export'].sudo()
        export = exports.create({
            'name': f"events-{fields.Date.context_today(self)}.csv",
            'content': base64.b64encode(self._get_csv().encode('utf-8-sig')),
        })
        return {
            'type': 'ir.actions.act_url',
            'url': f'/web/content/orestapi.event.export/{export.id}/content/{export.name}?download=true',
            'target': 'download',
        }

    def _get_csv(self):
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(self._fields[name]._description_string(self.env) for name in COLUMNS)
        for event in self.sorted('id'):
            writer.writerow(self._get_cell(event[name]) for name in COLUMNS)
        return text.getvalue()

    def _get_cell(self, value):
        value = str(value or '')
        return f"'{value}" if value.startswith(FORMULA) else value
