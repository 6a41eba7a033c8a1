"""The OpenAPI 3.1 document of the records API, and its description of fields."""

from .filters import MAX_CONDITIONS, MAX_DEPTH, MAX_LENGTH
from .ordering import MAX_CURSOR, MAX_FIELDS, PREFIX_LENGTH
from .parameters import DEFAULT_LIMIT, MAX_ID, MAX_IDS, MAX_LIMIT, MAX_SEARCH

TITLE = "Records of Odoo"
VERSION = '1'

#: The JSON schema of each field type of Odoo. Empty values are null.
SCHEMAS = {
    'boolean': {'type': 'boolean'},
    'integer': {'type': ['integer', 'null']},
    'float': {'type': ['number', 'null']},
    'monetary': {'type': ['number', 'null']},
    'char': {'type': ['string', 'null']},
    'text': {'type': ['string', 'null']},
    'html': {'type': ['string', 'null']},
    'selection': {'type': ['string', 'null']},
    'reference': {'type': ['string', 'null']},
    'date': {'type': ['string', 'null'], 'format': 'date'},
    'datetime': {'type': ['string', 'null'], 'format': 'date-time'},
    'binary': {'type': ['string', 'null'], 'contentEncoding': 'base64'},
    'many2one': {
        'type': ['array', 'null'],
        'prefixItems': [{'type': 'integer'}, {'type': 'string'}],
        'minItems': 2,
        'maxItems': 2,
    },
    'many2one_reference': {'type': ['integer', 'null']},
    'one2many': {'type': 'array', 'items': {'type': 'integer'}},
    'many2many': {'type': 'array', 'items': {'type': 'integer'}},
}

PROBLEM = {
    'type': 'object',
    'required': ['type', 'title', 'status', 'detail'],
    'properties': {
        'type': {'type': 'string'},
        'title': {'type': 'string'},
        'status': {'type': 'integer'},
        'detail': {'type': 'string', 'description': "One sentence that tells what to change."},
        'error': {
            'type': ['string', 'null'],
            'description': "The code of RFC 6750, section 3.1, if there is one. Of the other codes, `not_offered` "
            "stands for a model or field that the application may not read for this user, with any access token.",
        },
    },
}

#: The errors of each path: description, and header fields.
FAILURES = {
    '400': ("A parameter is wrong; the detail says which.", ['WWW-Authenticate']),
    '401': ("The access token is missing or not valid.", ['WWW-Authenticate']),
    # Only the first of the two comes with a challenge.
    '403': ("`insufficient_scope`: the access token lacks the scope. `not_offered`: no token can read this.", []),
    '404': ("There is no such record, or the user may not see it.", []),
    '405': ("The path does not support this method.", ['Allow']),
    '413': ("The request has a body that is too large.", []),
    '503': ("The server cannot process the request now.", ['Retry-After']),
}

FILTER = (
    "A filter as in RFC 7644, section 3.4.2.2: conditions of a field, an operator and a value, joined by `and`, `or`, "
    "`not (…)` and parentheses. Operators: `eq`, `ne`, `gt`, `ge`, `lt`, `le`, `co` (contains), `sw` (starts with), "
    "`ew` (ends with), `pr` (has a value). Write values as in JSON. Dots follow relations to the fields of the related "
    f"records. At most {MAX_CONDITIONS} conditions, {MAX_DEPTH} levels of parentheses and {MAX_LENGTH} characters.\n\n"
    "Write a day as `\"2026-11-25\"` and a moment as `\"2026-11-25T10:00:00Z\"` or with an offset (`+02:00`, in a URL "
    "`%2B02:00`); without an offset it is in UTC. Moments are whole seconds. A date field takes days only. A date and "
    "time field takes moments, and with `gt`, `ge`, `lt` and `le` also days: `le` includes the whole day, `gt` begins "
    "after it, and the day is one in the time zone of the user.\n\n"
    "Archived records are found only if the filter asks for them, for example with `active eq false`."
)


MODEL = {
    'type': 'object',
    'required': ['model', 'name', 'link', 'icon'],
    'properties': {
        'model': {'type': 'string'},
        'name': {'type': 'string'},
        'link': {'type': 'string', 'description': "The page of the records in the web client."},
        'icon': {'type': ['string', 'null']},
        'fields': {
            'type': 'object',
            'additionalProperties': {
                'type': 'object',
                'required': ['label', 'type', 'help', 'required', 'searchable'],
                'properties': {
                    'label': {'type': 'string'},
                    'type': {'type': 'string'},
                    'help': {'type': ['string', 'null']},
                    'required': {'type': 'boolean'},
                    'searchable': {'type': 'boolean'},
                    'relation': {'type': 'string'},
                    'selection': {
                        'type': 'array',
                        'items': {
                            'type': 'object',
                            'properties': {'value': {'type': 'string'}, 'label': {'type': 'string'}},
                        },
                    },
                },
            },
        },
    },
}

MODELS = {
    'type': 'object',
    'required': ['models'],
    'properties': {'models': {'type': 'array', 'items': {'$ref': '#/components/schemas/Model'}}},
}


def describe_field(field):
    """Return the description of a field for applications.

    :param dict field: as `fields_get` describes it
    """
    description = {
        'label': field['string'],
        'type': field['type'],
        'help': field.get('help') or None,
        'required': bool(field.get('required')),
        'searchable': bool(field.get('searchable')),
    }
    if field.get('relation'):
        description['relation'] = field['relation']
    if field['type'] == 'selection':
        description['selection'] = [{'value': value, 'label': label} for value, label in field.get('selection') or ()]
    return description


def get_schema(field):
    """Return the JSON schema of a field's values; a type without one allows any value."""
    schema = {**SCHEMAS.get(field['type'], {}), 'title': field['string']}
    description = field.get('help') or ''
    if field['type'] == 'selection':
        values = ', '.join(f'{value} ({label})' for value, label in field.get('selection') or ())
        description = f'{description}\n\n{values}'.strip()
    if description:
        schema['description'] = description
    return schema


def build(server, models):
    """Return the OpenAPI document.

    :param str server: the URL of this server, without a slash at the end
    :param list models: dicts with `model`, `name` and `fields` (as `fields_get`
        describes them), of all models that the access token reaches
    """
    paths = {
        '/orestapi/1/models': _get_operation(
            'models', "The models that the application is offered", _get_reference('Models')
        ),
        '/orestapi/1/application/logo': _get_operation('logo', "The logo of the application", image=True),
        '/orestapi/1/openapi.json': _get_operation('openapi', "This document", {'type': 'object'}),
    }
    schemas = {'Problem': PROBLEM, 'Models': MODELS, 'Model': MODEL}
    for description in models:
        model, name, fields = description['model'], description['name'], description['fields']
        schemas[f'{model}.fields'] = {
            'type': 'object',
            'properties': {field_name: get_schema(field) for field_name, field in fields.items()},
            'additionalProperties': False,
        }
        schemas[model] = _get_record_schema(model)
        field_names = _get_list_parameter('fields', sorted(fields), "The fields to read.")
        paths[f'/orestapi/1/models/{model}'] = _get_operation(
            f'model_{model}', f"Describe: {name}", _get_reference('Model')
        )
        paths[f'/orestapi/1/models/{model}/icon'] = _get_operation(f'icon_{model}', f"Picture: {name}", image=True)
        paths[f'/orestapi/1/records/{model}'] = _get_operation(
            f'search_{model}', f"Find: {name}", _get_page_schema(model), [field_names, *_get_search_parameters(fields)]
        )
        paths[f'/orestapi/1/records/{model}/{{id}}'] = _get_operation(
            f'read_{model}',
            f"Read: {name}",
            {
                'allOf': [
                    {'type': 'object', 'required': ['model'], 'properties': {'model': {'const': model}}},
                    _get_reference(model),
                ]
            },
            [
                field_names,
                {
                    'name': 'id',
                    'in': 'path',
                    'required': True,
                    'schema': {'type': 'integer', 'minimum': 1, 'maximum': MAX_ID},
                },
            ],
        )
    return {
        'openapi': '3.1.0',
        'info': {
            'title': TITLE,
            'version': VERSION,
            'description': "Records of an Odoo database, as seen by the user who allowed the access. "
            "Times are in UTC. Translated values are in the language of the header Accept-Language, otherwise in that "
            "of the user. An archived record can be read by its id: alone, among `ids`, and as the value of a "
            "relation to one record. Searches and relations to several records leave it "
            "out.",
        },
        'servers': [{'url': server}],
        'security': [{'bearer': ['read']}],
        'paths': paths,
        'components': {
            'schemas': schemas,
            'responses': {status: _get_failure(*failure) for status, failure in FAILURES.items()},
            'securitySchemes': {
                'bearer': {'type': 'http', 'scheme': 'bearer', 'description': "An access token with the scope read."}
            },
        },
    }


def _get_reference(name):
    return {'$ref': f'#/components/schemas/{name}'}


def _get_record_schema(model):
    return {
        'type': 'object',
        'required': ['id', 'link', 'fields'],
        'properties': {
            'id': {'type': 'integer'},
            'link': {'type': 'string', 'description': "The page of the record in the web client."},
            'fields': _get_reference(f'{model}.fields'),
        },
    }


def _get_page_schema(model):
    return {
        'type': 'object',
        'required': ['model', 'records', 'next_cursor'],
        'properties': {
            'model': {'const': model},
            'records': {'type': 'array', 'items': _get_reference(model)},
            'next_cursor': {
                'type': ['string', 'null'],
                'description': "Send it as `cursor`, with the same parameters, to get the next page.",
            },
            'count': {'type': 'integer'},
        },
    }


def _get_list_parameter(name, values, description):
    return {
        'name': name,
        'in': 'query',
        'description': description,
        'style': 'form',
        'explode': False,
        'schema': {'type': 'array', 'minItems': 1, 'items': {'type': 'string', 'enum': values}},
    }


def _get_search_parameters(fields):
    ordered = sorted(name for name, field in fields.items() if field.get('sortable'))
    parameters = [
        {
            'name': 'filter',
            'in': 'query',
            'description': FILTER,
            'schema': {'type': 'string', 'minLength': 1, 'maxLength': MAX_LENGTH},
        },
        {
            'name': 'ids',
            'in': 'query',
            'style': 'form',
            'explode': False,
            'description': "Only these records, including archived ones, which other searches leave out. "
            "Records that the user may not see are left out.",
            'schema': {
                'type': 'array',
                'minItems': 1,
                'maxItems': MAX_IDS,
                'items': {'type': 'integer', 'minimum': 1, 'maximum': MAX_ID},
            },
        },
        {
            'name': 'limit',
            'in': 'query',
            'description': "Maximum number of records.",
            'schema': {'type': 'integer', 'minimum': 1, 'maximum': MAX_LIMIT, 'default': DEFAULT_LIMIT},
        },
        {
            'name': 'cursor',
            'in': 'query',
            'description': "The `next_cursor` of the previous page.",
            'schema': {'type': 'string', 'minLength': 1, 'maxLength': MAX_CURSOR},
        },
        {
            'name': 'count',
            'in': 'query',
            'description': "Whether to count all matching records.",
            'schema': {'type': 'boolean', 'default': False},
        },
    ]
    if fields.get('display_name', {}).get('searchable'):
        parameters.append({
            'name': 'search',
            'in': 'query',
            'description': "Only records whose display name contains this text.",
            'schema': {'type': 'string', 'minLength': 1, 'maxLength': MAX_SEARCH, 'pattern': r'^[^\x00]*$'},
        })
    if ordered:
        values = [sign + name for name in ordered for sign in ('', '-')]
        order = _get_list_parameter(
            'order',
            values,
            "The fields to sort by, each once, with a minus sign in front for descending order. A long text may be "
            f"sorted by its first {PREFIX_LENGTH} characters only.",
        )
        order['schema'].update(maxItems=MAX_FIELDS, uniqueItems=True)
        parameters.append(order)
    return parameters


def _get_failure(description, headers):
    return {
        'description': description,
        'headers': {name: {'required': True, 'schema': {'type': 'string'}} for name in headers},
        'content': {'application/problem+json': {'schema': _get_reference('Problem')}},
    }


def _get_operation(operation_id, summary, schema=None, parameters=(), image=False):
    content = {'image/*': {}} if image else {'application/json': {'schema': schema}}
    responses = {
        '200': {'description': "Success", 'content': content},
        **{status: {'$ref': f'#/components/responses/{status}'} for status in FAILURES},
    }
    if image:
        responses['304'] = {'description': "The picture has not changed."}
    return {
        'get': {
            # Keeps the dots of the model's name: without them, two models could have the same id.
            'operationId': operation_id,
            'summary': summary,
            'parameters': list(parameters),
            'responses': responses,
        }
    }
