import base64
import re

from odoo import http
from odoo.http import request
from odoo.tools.mimetypes import guess_mimetype

from ..dispatchers.application import application_route, make_response
from ..dispatchers.records import make_image_response
from ..oauth2.errors import InsufficientScope, UnknownPath
from ..oauth2.scopes import OPENID
from ..openid import discovery

#: When the address of a picture expires, in seconds since 1970.
EXPIRES_AT = re.compile(r'[0-9]{1,12}', re.ASCII)


class UserInfo(http.Controller):
    # Not read-only: a lagging replica would accept a token that was just revoked.
    @application_route(
        discovery.USERINFO_ENDPOINT,
        type='orestapi_userinfo',
        methods=['GET', 'POST'],
        readonly=False,
        autocommit=True,
        allow_origin=True,
    )
    def userinfo(self):
        """Tell an application who the user of its access token is (OpenID Connect Core §5.3).

        The access token is in the header `Authorization`, or in a form as `access_token`.

        :return: `sub`, and the claims of the scopes that the access token has
        :raise OAuth2Error: 400; 401 for a token that does not work; 403 without the scope `openid` (RFC 6750 §3.1)
        """
        active = request.dispatcher.authenticate(OPENID)
        if active.sign_in.is_service:
            raise InsufficientScope("Nobody has signed in with this access token.", scope=OPENID)
        return make_response(request.env['orestapi.openid']._get_userinfo(active))

    @application_route(
        f'{discovery.PICTURE_ENDPOINT}/<subject>/<expires_at>/<signature>',
        type='orestapi_protocol',
        methods=['GET'],
        readonly=True,
    )
    def picture(self, subject, expires_at, signature):
        """Return the picture of a user at the address that the claim `picture` names: without a login, for a day.

        :raise UnknownPath: 404 for any other address
        """
        picture = None
        if EXPIRES_AT.fullmatch(expires_at) and signature.isascii():
            picture = request.env['orestapi.openid']._find_picture(subject, int(expires_at), signature)
        if not picture:
            raise UnknownPath("There is nothing at this path.")
        image = base64.b64decode(picture)
        return make_image_response(request, image, guess_mimetype(image, default='application/octet-stream'))
