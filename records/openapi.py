"""The OpenAPI 3.1 document of the records API, and what it says of fields."""

from .filters import MAX_CONDITIONS, MAX_DEPTH, MAX_LENGTH
from .ordering import MAX_CURSOR, MAX_FIELDS, PREFIX_LENGTH
from .parameters import DEFAULT_LIMIT, MAX_ID, MAX_IDS, MAX_LIMIT, MAX_SEARCH

TITLE = "Records of Odoo"
VERSION = '1'

#: How a type of Odoo looks in JSON. Empty values are null.
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
        'detail': {'type': 'string', 'description': "One sentence that says what to change."},
        'error': {
            'type': ['string', 'null'],
            'description': "The code of RFC 6750, section 3.1, where it has one. Of the others: `not_offered` is for "
            "a model or field that the application may not read for this user, whatever its access token.",
        },
    },
}

#: What each address answers when it does not answer what was asked for: description, and header fields.
FAILURES = {
    '400': ("A parameter is wrong; the detail says which.", ['WWW-Authenticate']),
    '401': ("There is no access token, or it is not valid.", ['WWW-Authenticate']),
    # The header comes only with the first of the two.
    '403': ("`insufficient_scope`: the access token lacks the scope. `not_offered`: no token reads it.", []),
    '404': ("There is no such record, or the user may not see it.", []),
    '405': ("This address takes another method.", ['Allow']),
    '413': ("The request has a body, and a large one.", []),
    '503': ("The server cannot process the request now.", ['Retry-After']),
}

FILTER = (
    "A filter as in RFC 7644, section 3.4.2.2: conditions of a field, an operator and a value, joined by `and`, `or`, "
    "`not (…)` and parentheses. Operators: `eq`, `ne`, `gt`, `ge`, `lt`, `le`, `co` (contains), `sw` (starts with), "
    "`ew` (ends with), `pr` (has a value). Values are written as in JSON. Dots follow relations, and find what these "
    f"show. At most {MAX_CONDITIONS} conditions, {MAX_DEPTH} levels of parentheses and {MAX_LENGTH} characters.\n\n"
    "A day is a text as `\"2026-11-25\"`, and a moment one as `\"2026-11-25T10:00:00Z\"`, also with an offset "
    "(`+02:00`, in an address `%2B02:00`); without one it is in UTC. Moments are whole seconds. A field of days takes "
    "days only. A field of moments takes moments, and with `gt`, `ge`, `lt` and `le` also days: `le` includes the "
    "whole day, `gt` begins after it, and the day is one in the time zone of the user.\n\n"
    "Archived records are found only where the filter asks for them, as `active eq false` does."
)


MODEL = {
    'type': 'object',
    'required': ['model', 'name', 'link', 'icon'],
    'properties': {
        'model': {'type': 'string'},
        'name': {'type': 'string'},
        'link': {'type': 'string', 'description': "Where a person finds the records in the web client."},
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
    """Return what an application may know of a field.

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
    """Return the JSON schema of a field's values; of a type without one, any value."""
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

    :param str server: the address of this server, without a slash at the end
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
            'description': "Records of an Odoo database, as the user sees them who allowed it to the application. "
            "All values are in UTC and, where they are translated, in the language of the header "
            "Accept-Language or else of the user. An archived record is there for those who know its id: alone, among "
            "`ids`, and as the value of a relation to one record. Searches and relations to several records leave it "
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
            'link': {'type': 'string', 'description': "Where a person finds the record in the web client."},
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
                'description': "Send it as `cursor`, with the same parameters, for the next page.",
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
            'description': "Only these records, also those that are archived, which other searches leave out. "
            "Those that the user may not see are left out.",
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
            'description': "How many records, at most.",
            'schema': {'type': 'integer', 'minimum': 1, 'maximum': MAX_LIMIT, 'default': DEFAULT_LIMIT},
        },
        {
            'name': 'cursor',
            'in': 'query',
            'description': "The `next_cursor` of the page before.",
            'schema': {'type': 'string', 'minLength': 1, 'maxLength': MAX_CURSOR},
        },
        {
            'name': 'count',
            'in': 'query',
            'description': "Whether to count all records that are found.",
            'schema': {'type': 'boolean', 'default': False},
        },
    ]
    if fields.get('display_name', {}).get('searchable'):
        parameters.append({
            'name': 'search',
            'in': 'query',
            'description': "Only records whose display name contains this.",
            'schema': {'type': 'string', 'minLength': 1, 'maxLength': MAX_SEARCH, 'pattern': r'^[^\x00]*$'},
        })
    if ordered:
        values = [sign + name for name in ordered for sign in ('', '-')]
        order = _get_list_parameter(
            'order',
            values,
            "By which fields, each once, with a minus in front for descending. Of a long text, only the first "
            f"{PREFIX_LENGTH} characters may count.",
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
            # With the dots of the model's name: without them, two models could have the same.
            'operationId': operation_id,
            'summary': summary,
            'parameters': list(parameters),
            'responses': responses,
        }
    }
