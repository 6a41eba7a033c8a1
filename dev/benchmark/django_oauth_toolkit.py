"""The peer: django-oauth-toolkit on gunicorn, from PyPI, in a separate environment and on the same PostgreSQL."""

import contextlib
import json
import os
import random
import secrets
import subprocess
import time
import uuid
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from dev.workbench.cache import CommandError
from dev.workbench.environment import prepare_beside
from dev.workbench.odoo_server import HOST, MODULE, free_port, stop_group
from dev.workbench.wire import send
from oauth2 import pkce

from . import calls
from .closed_loop import render
from .fill import VERIFIER, Application

FOLDER = Path(__file__).parent / 'peer'
REDIRECT_URI = 'https://app.example.com/callback'
WORKERS = 2
START_TIMEOUT = 60  # seconds
RSA_BITS = 2048


class Peer:
    """The running peer.

    :ivar dict stored: the result of `peer/fill.py`
    :ivar bool openid: whether its codes are for ID tokens
    """

    def __init__(self, port, stored, openid):
        self.port = port
        self.stored = stored
        self.openid = openid
        self.application = Application(0, stored['client_id'], stored['client_secret'], REDIRECT_URI)

    def introspect(self):
        """Return the clients that introspect its tokens."""
        tokens = self.stored['access_tokens']
        return calls.introspect(self.application, lambda: random.choice(tokens), '/o/introspect/')

    def refresh(self):
        return calls.refresh(self.application, self.stored['refresh_tokens'], '/o/token/')

    def redeem(self):
        return calls.redeem(self.application, self.stored['codes'], VERIFIER, '/o/token/', self.openid)


@contextlib.contextmanager
def serve(bench, sign_ins, codes, openid=False):
    """Run the peer on its own database and yield it as `Peer`; both are removed afterwards.

    :param int sign_ins: how many pairs of tokens to store
    :param int codes: how many codes to store
    :param bool openid: whether it signs ID tokens, with a key of the same kind and length as this addon
    """
    python = prepare_beside('benchmark')
    database = f'{MODULE}_peer_{os.getpid()}_{uuid.uuid4().hex[:6]}'
    environment = {
        **os.environ,
        **bench.postgres.environment,
        'PYTHONPATH': str(FOLDER),
        'DJANGO_SETTINGS_MODULE': 'settings',
        'PEER_DATABASE': database,
        'PEER_SECRET_KEY': secrets.token_hex(32),
        'PEER_RSA_KEY': _generate_key() if openid else '',
    }
    bench.postgres.execute(f'CREATE DATABASE {database} TEMPLATE template0')
    try:
        filled = subprocess.run(
            [python, FOLDER / 'fill.py', str(sign_ins), str(codes), REDIRECT_URI, pkce.compute_challenge(VERIFIER)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if filled.returncode:
            raise CommandError(f"django-oauth-toolkit could not be prepared: {filled.stderr[-1500:]}")
        bench.postgres.execute('VACUUM ANALYZE', database=database)
        port = free_port()
        log = bench.logs / f'{database}.log'
        command = [
            python, '-m', 'gunicorn',
            '--workers', str(WORKERS),
            '--bind', f'{HOST}:{port}',
            'django.core.wsgi:get_wsgi_application()',
        ]  # fmt: skip
        with log.open('w') as output:
            process = subprocess.Popen(
                command,
                env=environment,
                cwd=FOLDER,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            _wait_until_ready(process, port, log)
            yield Peer(port, json.loads(filled.stdout), openid)
        finally:
            stop_group(process)
    finally:
        bench.drop(database)


def _generate_key():
    """Return a private key in PEM, as `OIDC_RSA_PRIVATE_KEY` wants it."""
    key = rsa.generate_private_key(65537, RSA_BITS)
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()


def _wait_until_ready(process, port, log):
    end = time.monotonic() + START_TIMEOUT
    while True:
        with contextlib.suppress(OSError):
            send(port, render('GET', '/'))
            return
        if process.poll() is not None or time.monotonic() > end:
            raise CommandError(f"gunicorn did not start; see {log}.")
        time.sleep(0.1)
