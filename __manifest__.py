{
    'name': "Oregional REST API",
    'version': '19.0.1.0.0',
    'category': 'Administration',
    'summary': "OAuth 2.0 authorization server: remote applications act for users who allowed it",
    'author': "Oregional",
    'license': 'LGPL-3',
    'depends': ['base', 'web'],
    'data': [
        'security/orestapi_groups.xml',
        'security/ir.model.access.csv',
        'security/orestapi_security.xml',
        'data/orestapi_scope_data.xml',
        'views/orestapi_client_secret_show_views.xml',
        'views/orestapi_scope_views.xml',
        'views/orestapi_authorization_views.xml',
        'views/orestapi_authorization_code_views.xml',
        'views/orestapi_token_views.xml',
        'views/orestapi_event_views.xml',
        'views/orestapi_application_views.xml',
        'views/res_users_views.xml',
        'views/authorize_templates.xml',
        'views/orestapi_menus.xml',
    ],
    'demo': [
        'demo/orestapi_demo.xml',
    ],
    'assets': {
        'web.assets_backend': [
            'orestapi/static/src/**/*',
        ],
        'web.assets_tests': [
            'orestapi/static/tests/tours/**/*',
        ],
    },
    'application': True,
    'installable': True,
}
