from odoo import http
from odoo.http import request

from .page import render_page


class RecordsDocumentation(http.Controller):
    @http.route('/orestapi/1/docs', type='http', auth='user', methods=['GET'], readonly=True, sitemap=False)
    def documentation(self):
        """Show people what an application may read for them, and how.

        The OpenAPI document for eyes: the applications are those with the scope `read`
        that the user has authorized, and all with it for an Oregional Odoo App administrator.

        The parameter `application` is the id of the one to show; the first one if left out.
        One that is not among them is not replaced by another: the page says so.
        """
        application = request.httprequest.args.get('application')
        record = request.env['orestapi.record']
        applications = request.env['orestapi.application']._get_documented()
        if application:
            shown = applications.filtered(lambda found: str(found.id) == application)
        else:
            shown = applications[:1]
        # sudo: orestapi.application - which scheme an application has that the user lets act for them
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
