"""OpenID Connect as plain Python: the request, the claims, the ID token, discovery and logout.

Built on `oauth2/` (the flow) and `jose/` (signatures). Nothing here imports Odoo.
An application without the scope `openid` is untouched by all of it.
"""
