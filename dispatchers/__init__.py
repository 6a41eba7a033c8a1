"""Between Odoo's router and a route: reading requests, rendering errors, CORS, outages. Knows no route."""
