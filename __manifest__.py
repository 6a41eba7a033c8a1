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
    ],
    'demo': [
    ],
    'application': True,
    'installable': True,
}
