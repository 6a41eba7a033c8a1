import hashlib
import hmac
import time
from datetime import timezone

from odoo import api, models
from odoo.tools import SQL

from ..jose import encoding, jws
from ..openid import claims, id_token
from ..openid.discovery import PICTURE_ENDPOINT
from ..openid.login import COLUMNS, Login

#: Seconds for which the URL of a picture works, and the step that its expiry is rounded up to,
#: so that the URL stays the same for a while.
PICTURE_EXPIRY = 24 * 60 * 60
PICTURE_STEP = 60 * 60

#: The picture of a partner, in a query of `res_partner`.
PICTURE_ID = SQL(
    """
    (SELECT id FROM ir_attachment
      WHERE res_model = 'res.partner' AND res_field = 'image_256' AND res_id = res_partner.id
      LIMIT 1)
    """
)


class OrestapiOpenid(models.AbstractModel):
    """The OpenID provider: the claims about users that it gives to applications."""

    _name = 'orestapi.openid'
    _description = "OpenID Provider"

    # ID tokens

    @api.model
    def _add_id_token(self, response, client, user_id, scope, login, nonce=None):
        """Return a token response with an ID token (Core §3.1.3.3, §12.2).

        :param dict response: the parameters of the token response
        :param Client client: the application
        :param int user_id: the user
        :param scope: the scope tokens of the access token
        :param Login login: how the user logged in
        :param nonce: that of the request, or None at a refresh
        """
        private_key = self.env['orestapi.signing.key']._get_private_key(client.id_token_signed_response_alg)
        subject = self.env['orestapi.subject']._get_subject(user_id, client)
        names = claims.get_names(scope, client.defined_claims)
        if not client.claims_in_id_token:
            names &= frozenset((login.id_token_claims or '').split())
        token = id_token.build(
            self.env['orestapi.server']._get_issuer(),
            client.client_id,
            login.to_authentication(subject, nonce),
            int(time.time()),
            client.id_token_expiry,
            self._get_claims(user_id, client, names - {'sub'}, subject),
        )
        token['at_hash'] = id_token.compute_at_hash(response['access_token'], private_key.algorithm)
        return {**response, 'id_token': jws.sign(token, private_key)}

    @api.model
    def _fetch_login(self, token_id):
        """Return the `Login` of a sign-in.

        :param int token_id: the row
        """
        [row] = self.env.execute_query(
            SQL("SELECT %s FROM orestapi_token WHERE id = %s", SQL(", ").join(map(SQL.identifier, COLUMNS)), token_id)
        )
        return Login(**dict(zip(COLUMNS, row, strict=True)))

    @api.model
    def _read_hint(self, hint, client):
        """Return the `sub` of an `id_token_hint` (Core §3.1.2.1).

        :param str hint: what came
        :param Client client: the application that sent it
        :raise InvalidRequest: when it is not an ID token of this server for the application
        """
        keys = self.env['orestapi.signing.key']._get_known_keys()
        issuer = self.env['orestapi.server']._get_issuer()
        return id_token.read_hint(hint, keys, issuer, client.client_id)['sub']

    # Claims

    @api.model
    def _get_userinfo(self, active_token):
        """Return what UserInfo tells (Core §5.3.2).

        :param ActiveToken active_token: an access token of a user, with the scope `openid`
        """
        sign_in = active_token.sign_in
        subject = self.env['orestapi.subject']._get_subject(sign_in.user_id, sign_in.client)
        names = claims.get_names(active_token.scope, sign_in.client.defined_claims) - {'sub'}
        return {**self._get_claims(sign_in.user_id, sign_in.client, names, subject), 'sub': subject}

    @api.model
    def _get_claims(self, user_id, client, names, subject):
        """Return claims about a user, those that have a value (Core §5.1).

        :param int user_id: the user
        :param Client client: the application that is told
        :param names: the names of the claims
        :param str subject: who the user is for the application
        """
        if not names:
            return {}
        self.env['res.users'].flush_model(['login', 'share', 'partner_id', 'write_date'])
        self.env['res.partner'].flush_model(['name', 'email', 'phone', 'lang', 'tz', 'write_date'])
        # Subqueries instead of joins, because PostgreSQL plans them in half of the time, and
        # applications ask for UserInfo at each login.
        [row] = self.env.execute_query_dict(
            SQL(
                """
                SELECT login, share, write_date,
                       (SELECT json_build_object(
                                   'name', name, 'email', email, 'phone', phone, 'lang', lang, 'tz', tz,
                                   'updated_at', extract(epoch FROM write_date), 'picture_id', %s)
                          FROM res_partner WHERE id = partner_id) AS partner
                  FROM res_users WHERE id = %s
                """,
                PICTURE_ID if 'picture' in names else SQL("NULL"),
                user_id,
            )
        )
        row |= row.pop('partner')
        values = {
            'name': row['name'],
            'preferred_username': row['login'],
            'email': row['email'],
            'phone_number': row['phone'],
            'locale': row['lang'] and self.env['res.lang']._get_language_tag(row['lang']),
            'zoneinfo': row['tz'],
            'updated_at': int(max(row['updated_at'], row['write_date'].replace(tzinfo=timezone.utc).timestamp())),
        }
        if row['email']:
            values['email_verified'] = client.addresses_verified and claims.is_verified(
                row['email'], row['login'], row['share']
            )
        if row['picture_id']:
            values['picture'] = self._get_picture_uri(subject)
        if 'groups' in names:
            # sudo: res.users - in which of the chosen groups the user is
            group_ids = self.env['res.users'].sudo().browse(user_id)._get_all_group_ids()
            values['groups'] = sorted({name for group_id, name in client.group_claims if group_id in group_ids})
        defined = [claim for claim in client.defined_claims if claim.name in names]
        # What OpenID Connect says itself comes last: nothing replaces it.
        told = {**self.env['orestapi.claim']._get_values(user_id, defined), **values} if defined else values
        return claims.select(told, names)

    # Pictures

    @api.model
    def _get_picture_uri(self, subject):
        """Return a URL that shows the picture of a user without a login, for a day."""
        expires_at = (int(time.time()) // PICTURE_STEP + 1) * PICTURE_STEP + PICTURE_EXPIRY
        issuer = self.env['orestapi.server']._get_issuer()
        return f'{issuer}{PICTURE_ENDPOINT}/{subject}/{expires_at}/{self._sign_picture(subject, expires_at)}'

    @api.model
    def _find_picture(self, subject, expires_at, signature):
        """Return the picture for a URL of `_get_picture_uri`, in base64, or None.

        :param str subject: from the URL, like the others
        :param int expires_at: seconds since 1970
        :param str signature: see `_sign_picture`
        """
        if expires_at < time.time() or not hmac.compare_digest(signature, self._sign_picture(subject, expires_at)):
            return None
        # sudo: res.users - the picture that the signed address is for
        return self.env['orestapi.subject']._find_user(subject).sudo().image_256 or None

    @api.model
    def _sign_picture(self, subject, expires_at):
        key = self.env['orestapi.server']._derive_key('picture')
        return encoding.encode(hmac.digest(key, f'{subject}\0{expires_at}'.encode(), hashlib.sha256))
