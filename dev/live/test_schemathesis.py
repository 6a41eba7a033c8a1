"""schemathesis asks the records API all that its own OpenAPI document allows, and what it does not allow."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

from dev.cache import CHECKOUT

SEED = 6749

#: What the application is offered: each type of field, and relations between the models.
MODELS = ('res.partner', 'res.country', 'res.partner.category', 'res.currency')


def register(live):
    """Return an application that is offered the models, each with a picture."""
    picture = base64.b64encode((CHECKOUT / 'static' / 'description' / 'icon.png').read_bytes()).decode()
    models = live.call('ir.model', 'search_read', [('model', 'in', MODELS)], ['name'])
    scheme_id = live.call('orestapi.model.scheme', 'create', {
        'name': "Schemathesis", 'limit_models': 'whitelist', 'configuration_ids': [
            (0, 0, {'name': model['name'], 'limit_fields': 'none', 'model_id': model['id'], 'icon': picture})
            for model in models]})
    return live.register(model_scheme_id=scheme_id, logo=picture)


def test_every_answer_is_in_the_document(live, user_session, counts, tell, tmp_path):
    """All of its checks: no 500, no status, header field or content that the document does not promise."""
    access_token = live.sign_in(user_session, register(live))['access_token']
    report = tmp_path / 'report.json'
    done = subprocess.run([
        Path(sys.executable).parent / 'schemathesis',
        '--config-file', Path(__file__).with_name('schemathesis.toml'),
        'run', f'{live.url}/orestapi/1/openapi.json', '--seed', str(SEED), '--max-examples', str(counts.examples),
        '--report', 'json', '--report-json-path', report,
    ], check=False, capture_output=True, text=True, cwd=tmp_path, env={
        **os.environ, 'PYTHONPATH': str(CHECKOUT), 'SCHEMATHESIS_HOOKS': 'dev.live.schemathesis_hooks',
        'ACCESS_TOKEN': access_token})
    assert not done.returncode, f'{done.stdout[-6000:]}\n{done.stderr[-3000:]}'
    found = json.loads(report.read_text())
    assert found['complete'] and found['operations']['tested'] == 2 + 4 * len(MODELS)
    tell(f"{found['test_cases']['generated']} requests (seed {SEED}) to {found['operations']['tested']} operations "
         "of the OpenAPI document, all checks of schemathesis on: each answer is as the document says")
