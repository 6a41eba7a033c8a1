import hashlib
from contextlib import contextmanager

from odoo import api, models
from odoo.fields import NO_ACCESS

from ..oauth2 import quotation
from ..oauth2.client import PUBLIC
from .orestapi_record_offer import CREDENTIAL

#: Fields whose change has another event.
OTHERWISE_LOGGED = frozenset([
    'active',  # application_activated, application_deactivated
    'client_secret_hash',  # client_secret_changed
    'previous_client_secret_hash',  # changes together with the secret
])

#: Settings whose event tells that they changed, but not their values.
HIDDEN = frozenset([
    'previous_client_secret_expires_at',
    'backchannel_logout_uri',  # its query may have a secret, which no browser sees
])
HIDDEN_TYPES = frozenset(['binary', 'image', 'html', 'json', 'properties', 'properties_definition'])

#: Characters of a setting that an event shows.
MAX_LENGTH = 500

#: Key in the cache of the transaction: the ids of the applications whose changes are watched.
WATCHED = 'orestapi.watched_applications'
ALL = object()


class OrestapiApplication(models.Model):
    """Logs each change of an application as an event with the old and the new value.

    This covers every field that stores a setting, including fields that other addons add,
    without listing them here.
    """

    _inherit = 'orestapi.application'

    @api.model_create_multi
    def create(self, vals_list):
        cache = self.env.cr.cache
        before = cache.get(WATCHED)
        # Creating logs the settings below, not each write within.
        cache[WATCHED] = ALL
        try:
            applications = super().create(vals_list)
        finally:
            cache[WATCHED] = before
        applications._log_first_settings()
        return applications

    def write(self, vals):
        with self._watch_changes():
            return super().write(vals)

    @api.model
    def _get_logged_fields(self):
        """Return the names of the fields whose changes are logged: all that store a setting.

        One2many fields are not among them: their records log their own changes.
        """
        return [
            name
            for name, field in self._fields.items()
            if field.store
            and not field.readonly
            and field.type != 'one2many'
            and name not in OTHERWISE_LOGGED
            and name not in models.MAGIC_COLUMNS
        ]

    @api.model
    def _is_hidden(self, name):
        """Return whether an event tells only that a setting changed, without its values."""
        field = self._fields[name]
        is_text = field.type in ('char', 'text')
        return (
            name in HIDDEN
            or field.type in HIDDEN_TYPES
            or field.groups == NO_ACCESS
            or (is_text and bool(CREDENTIAL.search(name)))
        )

    @contextmanager
    def _watch_changes(self):
        """Wrap every change of applications, and log its result.

        A change within a change is logged once, by the outer one.
        """
        cache = self.env.cr.cache
        outer = cache.get(WATCHED) or frozenset()
        # sudo: orestapi.application - compares all settings, also those that nobody may read
        watched = self.sudo().browse() if outer is ALL else self.sudo().filtered(lambda record: record.id not in outer)
        if not watched:
            yield
            return
        before = {application.id: application._get_logged_values() for application in watched}
        cache[WATCHED] = outer | set(watched.ids)
        try:
            yield
        finally:
            cache[WATCHED] = outer
        for application in watched.exists():
            application._log_changes(before[application.id], application._get_logged_values())

    @api.model
    def _find_referrers(self, name, records):
        """Return the applications that refer to records, the archived ones too.

        :param str name: the field of applications that refers to the records
        :param records: the records
        """
        # sudo: orestapi.application - all that a change of the records affects, whichever user makes it
        return self.sudo().with_context(active_test=False).search([(name, 'in', records.ids)])

    @api.model
    @contextmanager
    def _watch_referrers(self, name, records, is_guarded=False):
        """Wrap a change of records that applications refer to, and so change together with.

        :param str name: see `_find_referrers`
        :param records: the records, which may be deleted
        :param bool is_guarded: whether the change may give the applications rights, see `_check_guard`
        """
        referrers = self._find_referrers(name, records)
        if is_guarded:
            referrers.sudo(False)._check_guard()
        with referrers._watch_changes():
            yield
            if records.exists() != records:
                # The database has removed the references to deleted records.
                self.invalidate_model([name])
        self._invalidate_caches()

    def _get_logged_values(self):
        """Return the settings as events show them: for each field name a text or None."""
        self.ensure_one()
        values = {name: self._get_logged_value(name) for name in self._get_logged_fields()}
        values['client_secret_hash'] = self.client_secret_hash
        return values

    def _get_logged_value(self, name):
        field, value = self._fields[name], self[name]
        if field.type == 'boolean':
            return 'true' if value else 'false'
        if field.type in ('integer', 'float', 'monetary'):
            return str(value)
        if not value:
            return None
        if self._is_hidden(name):
            # Only compared, never stored.
            data = value if isinstance(value, bytes) else str(value).encode()
            return hashlib.sha256(data).hexdigest()
        if name == 'scope_ids':
            # The names of scopes in the protocol, which are not translated.
            return ', '.join(value.mapped('name'))
        if field.relational:
            return ', '.join(value.mapped('display_name'))
        if field.type == 'text':
            return ', '.join(filter(None, map(str.strip, str(value).splitlines())))
        return str(value)

    def _log_changes(self, before, after):
        """Add an event of each setting that changed."""
        # A public application has no secret: it is removed with the change of type, which has an event.
        if before['client_secret_hash'] != after['client_secret_hash'] and not (
            after['client_type'] == PUBLIC and not after['client_secret_hash']
        ):
            reason = None if after['client_secret_hash'] else 'removed'
            self.env['orestapi.event']._log('client_secret_changed', application_id=self.id, reason=reason)
        if before['client_secret_hash'] != after['client_secret_hash']:
            # This field follows the secret.
            after = {**after, 'previous_client_secret_expires_at': before.get('previous_client_secret_expires_at')}
        for name in self._get_logged_fields():
            if before[name] != after[name]:
                self._log_change(name, before[name], after[name])

    def _log_change(self, name, old, new):
        if self._is_hidden(name):
            reason, old, new = 'hidden', None, None
        elif old is None:
            reason = 'set'
        elif new is None:
            reason = 'emptied'
        else:
            reason = None
            old, new = _shorten(old, new)
        self.env['orestapi.event']._log(
            'application_changed',
            application_id=self.id,
            reason=reason,
            field_name=name,
            old_value=quotation.quote(old, MAX_LENGTH),
            new_value=quotation.quote(new, MAX_LENGTH),
        )

    def _log_first_settings(self):
        """Log an event of each setting of a new application that is not the default."""
        if self.env.context.get('install_mode'):
            # A data file documents its settings itself.
            return
        # sudo: orestapi.application - reads all settings, also those that nobody may read
        for application in self.sudo():
            values = application._get_logged_values()
            if values['client_secret_hash']:
                self.env['orestapi.event']._log('client_secret_changed', application_id=application.id)
            names = [name for name in application._get_logged_fields() if name not in ('name', 'client_id')]
            default = application.new(application.default_get(names))
            for name in names:
                if values[name] not in (None, default._get_logged_value(name)):
                    application._log_change(name, None, values[name])
            application.uri_ids._log_uris('uri_added')


class OrestapiApplicationUri(models.Model):
    """Logs the changes of callback URIs like those of an application's settings."""

    _inherit = 'orestapi.application.uri'

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        if self.env.cr.cache.get(WATCHED) is not ALL:
            records._log_uris('uri_added')
        return records

    def write(self, vals):
        before = {record: (record.application_id, record.uri, record._get_logged_text()) for record in self}
        result = super().write(vals)
        for record, (application, uri, text) in before.items():
            if record.application_id != application:
                self._log_uri('uri_removed', application, text, None)
                record._log_uris('uri_added')
            elif record.uri != uri or record._get_logged_text() != text:
                same = record._get_logged_text() == text
                self._log_uri('uri_hidden' if same else 'uri_changed', application, text, record._get_logged_text())
        return result

    def unlink(self):
        removed = [(record.application_id, record._get_logged_text()) for record in self]
        result = super().unlink()
        for application, text in removed:
            self._log_uri('uri_removed', application, text, None)
        return result

    def _get_logged_text(self):
        """Return the URI without its query, and its description."""
        uri = quotation.quote_uri(self.uri)
        description = quotation.quote(self.description or None)
        return f'{uri} ({description})' if description else uri

    def _log_uris(self, reason):
        for record in self:
            self._log_uri(reason, record.application_id, None, record._get_logged_text())

    def _log_uri(self, reason, application, old, new):
        self.env['orestapi.event']._log(
            'application_changed',
            application_id=application.id,
            reason=reason,
            field_name='uri_ids',
            old_value=old,
            new_value=new,
        )


def _shorten(old, new):
    """Return two long values, cut to begin where they differ."""
    if max(len(old), len(new)) <= MAX_LENGTH:
        return old, new
    common = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    start = max(0, common - 20)
    return (old, new) if not start else (f'…{old[start:]}', f'…{new[start:]}')
