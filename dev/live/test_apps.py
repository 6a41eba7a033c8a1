"""The records API beside real apps: excluded data never appears, and no request fails.

The database has mail, portal, crm, sale, project, hr, account, calendar and stock installed, with their demo data. It
is copied from a template, which is created once for each version of Odoo and list of apps and takes minutes.
"""

import collections
import concurrent.futures
import itertools
import json
import random

import pytest
import requests

from dev.live.conftest import Live, check_log

ADDONS = ('mail', 'portal', 'crm', 'sale', 'project', 'hr', 'account', 'calendar', 'stock')
WORKERS = 3
CLIENTS = 4
SEED = 20261125

#: Written into each text of an excluded field or model. Letters only, because some addons strip other characters or
#: interpret them.
MARKER = 'qzxleak'
FIELD_MARKER, MODEL_MARKER = f'{MARKER}f', f'{MARKER}m'
#: Conditions in one request; a refused or found condition is located by bisection.
BATCH = 32

#: The exclusions of each model scheme of the hunt. Everything else is offered, except for what depends on them.
EXCLUDED_FIELDS = {
    'res.partner': (
        'email', 'phone', 'street', 'street2', 'city', 'zip', 'website', 'vat', 'ref', 'comment', 'function',
    ),
    'crm.lead': ('description', 'contact_name', 'partner_name'),
    'product.template': ('description', 'description_sale', 'default_code'),
    'product.product': ('default_code',),
    'project.project': ('name', 'description'),
    'hr.employee': ('work_email', 'work_phone', 'job_title'),
}  # fmt: skip
EXCLUDED_MODELS = ('res.partner', 'crm.lead', 'project.project', 'hr.employee', 'hr.version', 'calendar.event')
#: The short form has one scheme, which excludes these models and the fields above.
FEW_MODELS = ('crm.lead', 'project.project', 'calendar.event')
#: A scheme that offers all of one model and nothing else.
ONLY_MODEL = 'sale.order'

#: Texts that Odoo copies when a record is created, without a trace of their source: see docs/threat-model.md.
COPIES = {
    # The e-mail address of the author at that time.
    ('mail.message', 'email_from'),
    ('mail.message', 'reply_to'),
    # The name of the project that it was created for.
    ('account.analytic.account', 'name'),
    ('account.analytic.account', 'display_name'),
    ('project.project', 'account_id'),
}

VALUES = {
    'boolean': (True, False),
    'integer': (0, -1, 10**17),
    'float': (0, -0.5, 1e99),
    'monetary': (12.34, -1e99),
    'char': ('', "O'Brien: 50% \\ é_", '0'),
    'text': ('', "O'Brien: 50% \\ é_"),
    'html': ('<p>',),
    'selection': ('', 'done'),
    'date': ('2026-02-28', '9999-12-31'),
    # Later ones overflow where a second is added to them.
    'datetime': ('2026-02-28T12:00:00Z', '9999-12-31T23:59:58Z'),
    'many2one': (1, 10**17),
    'one2many': (1, 10**17),
    'many2many': (1, 10**17),
}
OPERATORS = ('eq', 'ne', 'gt', 'ge', 'lt', 'le', 'co', 'sw', 'ew')


class Reader:
    """An application that reads for a user within a model scheme."""

    def __init__(self, live, session, scheme, limit):
        """
        :param dict scheme: the values of its model scheme
        :param int limit: how many records it reads of a model
        """
        self.limit = limit
        self.live = live
        scheme_id = live.call('orestapi.model.scheme', 'create', {'name': "Apps", **scheme})
        application = live.register(model_scheme_id=scheme_id, access_token_expiry=86400)
        self.headers = {'Authorization': f"Bearer {live.sign_in(session, application)['access_token']}"}
        self.statuses = collections.Counter()
        self.refused = set()
        models = self.get('models').json()['models']
        names = [(model['model'],) for model in models]
        descriptions = in_parallel(lambda name: self.get(f'models/{name}').json(), names)
        self.models = {description['model']: description['fields'] for description in descriptions}
        self.document = self.get('openapi.json').json()

    def get_order(self, model):
        """Return the fields by which the records of a model can be ordered."""
        parameters = self.document['paths'][f'/orestapi/1/records/{model}']['get']['parameters']
        found = [parameter for parameter in parameters if parameter['name'] == 'order']
        return found[0]['schema']['items']['enum'] if found else []

    def get(self, path, **parameters):
        answer = requests.get(
            f'{self.live.url}/orestapi/1/{path}', params=parameters, headers=self.headers, timeout=120
        )
        self.statuses[answer.status_code] += 1
        assert answer.status_code < 500, (path, parameters, answer.text)
        return answer

    def has_searchable_name(self, field):
        """Return whether the records of a relation can be found by their names."""
        comodel = self.models.get(field.get('relation'), {})
        return comodel.get('display_name', {}).get('searchable', False)

    def find(self, model, conditions, which=False):
        """Search records by the conditions that are supported.

        :param bool which: whether to locate the conditions that find a record
        :return: those conditions
        """
        if not conditions:
            return []
        answer = self.get(f'records/{model}', filter=' or '.join(conditions), fields='id', limit=1)
        if answer.status_code == 200 and not (which and answer.json()['records']):
            return []
        if len(conditions) == 1:
            if answer.status_code == 200:
                return conditions
            assert answer.status_code in (400, 403), (model, conditions, answer.text)
            self.refused.add((model, conditions[0]))
            return []
        half = len(conditions) // 2
        return self.find(model, conditions[:half], which) + self.find(model, conditions[half:], which)

    def read(self, model, names):
        """Return all that the application can read of the records of a model, field by field if necessary."""
        if not names:
            return []
        answer = self.get(f'records/{model}', fields=','.join(names), limit=self.limit)
        if answer.status_code == 200:
            return answer.json()['records']
        assert answer.status_code in (400, 403), (model, names, answer.text)
        if len(names) == 1:
            return []
        half = len(names) // 2
        return self.read(model, names[:half]) + self.read(model, names[half:])


@pytest.fixture(scope='module')
def apps(bench):
    with (
        bench.database_beside('apps', ADDONS) as database,
        bench.serve(database, '--max-cron-threads', '0', workers=WORKERS) as server,
    ):
        live = Live(server, bench.postgres)
        yield live
        check_log(live)
        warnings = [line for line in server.log.read_text(errors='replace').splitlines() if ' WARNING ' in line]
        # Core itself logs a warning at every call over XML-RPC.
        warnings = [line for line in warnings if '/xmlrpc' not in line]
        assert not warnings, '\n'.join(warnings)


def in_parallel(function, items):
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(lambda item: function(*item), items))


def get_batches(items, size=BATCH):
    return [items[start : start + size] for start in range(0, len(items), size)]


def write_conditions(fields):
    """Return conditions for each searchable field of a model: each operator, and each kind of value."""
    for name, field in sorted(fields.items()):
        if not field['searchable']:
            continue
        yield f'{name} pr'
        values = [*VALUES.get(field['type'], ()), None]
        for operator, value in itertools.product(OPERATORS, values):
            yield f'{name} {operator} {json.dumps(value)}'
        if field.get('relation'):
            yield f'{name}.id gt 0'
            yield f'{name}.display_name co "a"'


def is_plausible(condition, fields):
    """Return whether a condition is not refused for its form alone, so that it reaches the search of the field."""
    name, operator, *_value = condition.split(' ', 2)
    field = fields.get(name)
    if field is None or operator in ('pr', 'eq', 'ne'):
        return True
    if condition.endswith(' null'):
        return False
    if operator in ('co', 'sw', 'ew'):
        return field['type'] in ('char', 'text', 'html')
    return field['type'] in ('integer', 'float', 'monetary', 'date', 'datetime', 'char', 'text')


def test_r08_no_search_fails(apps, counts, summarize):
    """Each model, field and operator gets a result or an error sentence, never a failure."""
    reader = Reader(apps, apps.log_in(), {'limit_models': 'none'}, limit=20)
    choice = random.Random(SEED)
    requests_ = []
    number = 0
    for model, fields in sorted(reader.models.items()):
        conditions = list(write_conditions(fields))
        chosen = [
            condition
            for condition in conditions
            if is_plausible(condition, fields) and (counts.share == 1 or choice.random() < counts.share)
        ]
        if counts.share == 1:
            # Conditions that are refused at once need separate requests, so only a sample is tried.
            chosen += [condition for condition in conditions if not is_plausible(condition, fields)][::10]
        number += len(chosen)
        requests_ += [('find', model, batch) for batch in get_batches(chosen)]
        ordered = get_batches(reader.get_order(model), 5)
        requests_ += [('order', model, batch) for batch in ordered if counts.share == 1 or choice.random() < 0.2]
        if counts.share == 1:
            # In the short form, the other test reads everything.
            requests_.append(('read', model, sorted(fields)))
        requests_.append(('search', model, None))
    choice.shuffle(requests_)

    def send(kind, model, content):
        if kind == 'find':
            reader.find(model, content)
        elif kind == 'order':
            names = {name.lstrip('-'): name for name in content}
            assert reader.get(f'records/{model}', order=','.join(names.values()), limit=2).status_code in (200, 400)
        elif kind == 'read':
            reader.read(model, content)
        else:
            reader.get(f'records/{model}', search="a '%")

    in_parallel(send, requests_)
    summarize(
        f"{number} conditions on {sum(map(len, reader.models.values()))} fields of {len(reader.models)} models, in "
        f"{sum(reader.statuses.values())} requests: {len(reader.refused)} of them refused with a sentence, none failed"
    )


def mark(bench, database, fields, models, limit):
    """Write the markers into each text that a scheme of the hunt excludes, as an administrator would.

    :param dict fields: names of fields by model
    :param models: names of models
    :param int limit: the maximum number of records of each model
    """
    lines = bench.run_script(
        database,
        f"""
        import odoo
        excluded = {{(model, name) for model, names in {fields!r}.items() for name in names}}
        whole = {models!r}
        number = 0
        for model in {sorted({*fields, *models})!r}:
            fields = env[model]._fields.values()
            names = [
                field.name for field in fields
                if field.type in ('char', 'text', 'html') and field.store and not field.related
                and not (field.compute and field.readonly) and field.name not in ('lang', 'tz', 'parent_path')
                and (model in whole or (model, field.name) in excluded)
            ]
            for record in env[model].with_context(active_test=False).search([], limit={limit}, order='id'):
                for name in names:
                    # A date in a text stays one, and so does an address of e-mail.
                    text = '{FIELD_MARKER}' if (model, name) in excluded else ''
                    text += ('{MODEL_MARKER}' if model in whole else '') + name.replace('_', '')
                    text += '@example.com' if 'email' in name else ''
                    try:
                        with env.cr.savepoint():
                            record.with_context(tracking_disable=False).write({{name: text}})
                            env.flush_all()
                        number += 1
                    except Exception:
                        env.invalidate_all(flush=False)
        print(number)
        """,
    )
    return int(lines[-1])


def get_schemes(fields, models):
    """Return the values of each model scheme and its marker, by what it excludes."""
    blacklists = [(model, 'blacklist', names) for model, names in fields.items()]
    return {
        'fields': ({'limit_models': 'none', 'configuration_ids': blacklists}, FIELD_MARKER),
        'models': ({'limit_models': 'blacklist', 'model_ids': models}, MODEL_MARKER),
        'only': ({'limit_models': 'whitelist', 'configuration_ids': [(ONLY_MODEL, 'none', ())]}, MODEL_MARKER),
    }


def build_scheme(live, limit_models, model_ids=(), configuration_ids=()):
    def find(model, domain):
        return live.call(model, 'search', domain)

    values = {'limit_models': limit_models, 'model_ids': [(6, 0, find('ir.model', [('model', 'in', model_ids)]))]}
    values['configuration_ids'] = [
        (
            0,
            0,
            {
                'name': model,
                'model_id': find('ir.model', [('model', '=', model)])[0],
                'limit_fields': limit,
                'field_ids': [(6, 0, find('ir.model.fields', [('model', '=', model), ('name', 'in', names)]))],
            },
        )
        for model, limit, names in configuration_ids
    ]
    return values


def hunt(reader, marker):
    """Return where a marker appears: model, field, and kind of request."""
    found = set()

    def look(model, fields):
        for record in reader.read(model, sorted(fields)):
            for name, value in record['fields'].items():
                if marker in json.dumps(value):
                    found.add((model, name, 'read'))
        conditions = []
        for name, field in sorted(fields.items()):
            if field['searchable'] and field['type'] in TEXTS:
                conditions.append(f'{name} co "{marker}"')
            elif field['searchable'] and reader.has_searchable_name(field):
                conditions.append(f'{name}.display_name co "{marker}"')
        for batch in get_batches(conditions):
            for condition in reader.find(model, batch, which=True):
                found.add((model, condition.split(' ')[0].split('.')[0], condition))
        if fields.get('display_name', {}).get('searchable'):
            answer = reader.get(f'records/{model}', search=marker, fields='id', limit=1)
            assert answer.status_code == 200, answer.text
            if answer.json()['records']:
                found.add((model, 'display_name', 'search'))

    in_parallel(look, sorted(reader.models.items()))
    return {(model, name, way) for model, name, way in found if (model, name) not in COPIES}


TEXTS = ('char', 'text', 'html')


def check_refused(reader, models, fields):
    """Excluded names are refused in every kind of request."""
    for model in models:
        assert model not in reader.models
        for path in (f'records/{model}', f'records/{model}/1', f'models/{model}'):
            answer = reader.get(path)
            assert (answer.status_code, answer.json()['error']) == (403, 'not_offered'), path
    for model, names in fields.items():
        for name in names:
            assert name not in reader.models[model]
            for parameters in (
                {'fields': name},
                {'order': name},
                {'filter': f'{name} pr'},
                {'filter': f'{name} eq "a"'},
            ):
                answer = reader.get(f'records/{model}', **parameters)
                assert (answer.status_code, answer.json()['error']) == (403, 'not_offered'), (model, parameters)
    document = reader.document['components']['schemas']
    for model, names in fields.items():
        assert not set(names) & set(document[f'{model}.fields']['properties'])
    assert not {f'{model}.fields' for model in models} & set(document)


def test_s07_nothing_left_out_appears(apps, bench, counts, summarize):
    """Excluded data is in no response of any model, and no filter or search finds it."""
    full = counts.share == 1
    models = EXCLUDED_MODELS if full else FEW_MODELS
    fields = {model: names for model, names in EXCLUDED_FIELDS.items() if full or model not in models}
    number = mark(bench, apps.server.database, fields, models, limit=40 if full else 8)
    assert number > 200
    schemes = get_schemes(fields, models)
    sessions = [apps.log_in()]
    if full:
        sessions.append(log_in_restricted(apps))
    else:
        both = {**schemes['fields'][0], **schemes['models'][0]}
        schemes = {'both': (both, MARKER)}
    total = collections.Counter()
    for session in sessions:
        for name, (scheme, marker) in schemes.items():
            reader = Reader(apps, session, build_scheme(apps, **scheme), limit=200 if full else 20)
            left_out = {'fields': (), 'only': ('res.partner',)}.get(name, models)
            offered = fields if name in ('fields', 'both') else {}
            # Only models that the user may read.
            offered = {model: names for model, names in offered.items() if model in reader.models}
            check_refused(reader, left_out, offered)
            found = hunt(reader, marker)
            assert not found, '\n'.join([name, *map(str, sorted(found))])
            total += reader.statuses
    summarize(
        f"{number} texts marked, and looked for in {sum(total.values())} requests by {len(sessions)} users and "
        f"{len(schemes)} model schemes: in none of {total[200]} answers"
    )


def log_in_restricted(live):
    """Return the session of a salesperson without administration rights."""
    domain = [('model', '=', 'res.groups'), ('name', 'in', list(GROUPS))]
    groups = live.call('ir.model.data', 'search_read', domain, ['res_id'])
    live.call(
        'res.users',
        'create',
        {
            'name': "Restricted",
            'login': 'restricted',
            'password': 'restricted',
            'group_ids': [(6, 0, [group['res_id'] for group in groups])],
        },
    )
    return live.log_in('restricted', 'restricted')


#: The groups of the restricted user.
GROUPS = ('group_user', 'group_sale_salesman', 'group_project_user', 'group_stock_user')
