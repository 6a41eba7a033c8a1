from odoo import http
from odoo.http import request

from .page import render_page


class RecordsDocumentation(http.Controller):
    @http.route('/orestapi/1/docs', type='http', auth='user', methods=['GET'], readonly=True, sitemap=False)
    def documentation(self):
        """Show people what an application may read for them, and how.

        The page is the OpenAPI document for people. It offers the applications with the
        scope `read` that the user has authorized; to an administrator of applications, all
        applications with that scope.

        The parameter `application` is the id of the application to show, the first one if
        left out. For an id that is not among them, the page says so and shows no other.
        """
        application = request.httprequest.args.get('application')
        record = request.env['orestapi.record']
        applications = request.env['orestapi.application']._get_documented()
        if application:
            shown = applications.filtered(lambda found: str(found.id) == application)
        else:
            shown = applications[:1]
        # sudo: orestapi.application - the scheme of an application that acts for the user
        offer = request.env['orestapi.model.scheme']._get_offer(shown.sudo().model_scheme_id.id)
        return render_page(
            'orestapi.records_documentation',
            {
                'applications': applications,
                'shown': shown,
                # sudo: orestapi.application - whether it can do more than what the page shows
                'goes_past_model_scheme': shown.sudo().goes_past_model_scheme,
                'issuer': request.env['orestapi.server']._get_issuer(),
                'models': [
                    {**description, 'fields': record._get_fields(offer, description['model'])}
                    for description in record._get_models(offer)
                ],
            },
        )
