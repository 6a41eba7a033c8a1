"""`make run`: runs Odoo with the addon and demo data until Ctrl-C."""

import os
import re
import shlex
import sys

from .workbench.cache import CHECKOUT, CommandError, run_command, show
from .workbench.environment import enter

ISSUER = 'orestapi.issuer'
#: The issuer that an earlier start may have set.
OWN_ISSUER = r'http://127\.0\.0\.1:\d+'


def _set_issuer(server):
    """Set the issuer to the current URL of the server, and return it.

    Clients compare the two (RFC 8414 §3.3), and PORT= may change the URL. An issuer that somebody has entered is kept.
    """
    issuer = server.call('ir.config_parameter', 'get_param', ISSUER)
    if issuer and not re.fullmatch(OWN_ISSUER, issuer):
        return issuer
    server.call('ir.config_parameter', 'set_param', ISSUER, server.url)
    return server.url


def main():
    enter('dev.run')
    from .workbench.odoo_server import LOGIN, MODULE, PASSWORD, Workbench, check_port  # needs the environment

    port, database = os.environ.get('PORT') or '8069', os.environ.get('DB') or MODULE
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise CommandError(f"PORT={port} is not a port number; choose one from 1024 to 65535.")
    if not re.fullmatch(r'[a-z0-9][a-z0-9_.-]{0,62}', database):
        raise CommandError(
            f"DB={database} is not a name for a database; use lower-case letters, digits and underscores."
        )
    check_port(int(port))
    with Workbench() as bench:
        bench.prepare(database)
        show('Starting Odoo with two workers …')
        with bench.serve(database, port=int(port), workers=2, lean=False) as server:
            record = server.call(
                'ir.model.data', 'search_read', [('module', '=', MODULE), ('name', '=', 'application_demo')], ['res_id']
            )
            if not record:
                raise CommandError(f"The database {database} has no demo application; use another one with DB=.")
            identifier = record[0]['res_id']
            client_id = server.call('orestapi.application', 'read', [identifier], ['client_id'])[0]['client_id']
            client_secret = server.call('orestapi.application', 'generate_client_secret', [identifier])
            issuer = _set_issuer(server)
            command = [
                sys.executable, str(CHECKOUT / 'examples' / 'authlib_client.py'),
                '--url', server.url,
                '--client-id', client_id,
                f'--client-secret={client_secret}',
            ]  # fmt: skip
            show(
                f'\nOdoo is ready; Ctrl-C stops it. Its log: {server.log}\n\n'
                f'URL: {server.url}\nLogin: {LOGIN}\nPassword: {PASSWORD}\n'
                f'Client id: {client_id}\nClient secret (new at each start): {client_secret}\n'
                f'Try it: {shlex.join(command)}'
            )
            if issuer != server.url:
                show(f'The issuer in the settings is {issuer}. The example works only if it is {server.url}.')
            try:
                server.process.wait()
            except KeyboardInterrupt:  # the normal way to end it
                show('\nStopping …')
                return 0
            raise CommandError(f"Odoo stopped by itself with exit code {server.process.returncode}; see {server.log}.")


if __name__ == '__main__':
    run_command(main)
