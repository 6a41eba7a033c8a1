"""schemathesis sends the records API requests that its OpenAPI document allows, and others that it does not."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dev.workbench.cache import CHECKOUT

SEED = 6749

#: The offer of the application: models with relations between them, and fields of each type.
MODELS = {
    'res.partner': [
        'display_name',
        'name',
        'comment',
        'active',
        'color',
        'partner_latitude',
        'company_type',
        'type',
        'create_date',
        'parent_id',
        'country_id',
        'child_ids',
        'category_id',
        'image_128',
    ],
    'res.country': ['display_name', 'name', 'code', 'phone_code', 'currency_id', 'write_date'],
    'res.partner.category': ['display_name', 'name', 'color', 'parent_id', 'partner_ids'],
    'res.currency.rate': ['display_name', 'name', 'rate', 'currency_id'],
}


def register(live):
    """Return an application that is offered the models, each with a picture."""
    picture = base64.b64encode((CHECKOUT / 'static' / 'description' / 'icon.png').read_bytes()).decode()
    models = live.call('ir.model', 'search_read', [('model', 'in', list(MODELS))], ['name', 'model'])
    scheme_id = live.call(
        'orestapi.model.scheme',
        'create',
        {
            'name': "Schemathesis",
            'limit_models': 'whitelist',
            'configuration_ids': [
                (
                    0,
                    0,
                    {
                        'name': model['name'],
                        'model_id': model['id'],
                        'icon': picture,
                        'limit_fields': 'whitelist',
                        'field_ids': [
                            (
                                6,
                                0,
                                live.call(
                                    'ir.model.fields',
                                    'search',
                                    [('model', '=', model['model']), ('name', 'in', MODELS[model['model']])],
                                ),
                            )
                        ],
                    },
                )
                for model in models
            ],
        },
    )
    return live.register(model_scheme_id=scheme_id, logo=picture)


def run(live, seed, examples, access_token, report):
    """Run schemathesis once, and return its report."""
    done = subprocess.run(
        [
            Path(sys.executable).parent / 'schemathesis',
            '--config-file',
            Path(__file__).with_name('schemathesis.toml'),
            'run',
            f'{live.url}/orestapi/1/openapi.json',
            '--seed',
            str(seed),
            '--max-examples',
            str(examples),
            '--report',
            'json',
            '--report-json-path',
            report,
        ],
        check=False,
        capture_output=True,
        text=True,
        cwd=report.parent,
        env={
            **os.environ,
            'PYTHONPATH': str(CHECKOUT),
            'SCHEMATHESIS_HOOKS': 'dev.live.schemathesis_hooks',
            'ACCESS_TOKEN': access_token,
        },
    )
    assert not done.returncode, f'{done.stdout[-6000:]}\n{done.stderr[-3000:]}'
    return json.loads(report.read_text())


@pytest.mark.alone
def test_every_answer_is_in_the_document(live, user_session, counts, summarize, tmp_path):
    """All checks of schemathesis pass: no 500, and no status, header or content that the document does not describe."""
    access_token = live.sign_in(user_session, register(live))['access_token']
    reports = [
        run(live, SEED + number, counts.examples, access_token, tmp_path / f'{number}.json')
        for number in range(counts.seeds)
    ]
    for report in reports:
        assert report['complete'] and report['operations']['tested'] == 2 + 4 * len(MODELS)
    summarize(
        f"{sum(report['test_cases']['generated'] for report in reports)} requests (seed {SEED} and following) to "
        f"{reports[0]['operations']['tested']} operations of the OpenAPI document, all checks of schemathesis on: "
        "each answer is as the document says"
    )
