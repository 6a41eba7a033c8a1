"""Carries applications over from the older addon of Odoo 11 and 12, so that nothing changes at the remote side.

It reads their names, client ids, client secrets and callback URIs from the old
Odoo, and creates them in the new one as *Legacy Connector*, both over XML-RPC.
Nothing is changed in the old Odoo. What is there already, by its client id, is
left alone, so that the script can run again. Tokens are not carried over: the
older addon stored them in plain text, and its users sign in once more.

    OLD_PASSWORD=… NEW_PASSWORD=… python move_over.py \\
        --old-url https://old.example.com --old-database old --old-login admin \\
        --new-url https://odoo.example.com --new-database new --new-login admin

The passwords are those of administrators, or API keys where Odoo knows them.
"""

import argparse
import os
import sys
import xmlrpc.client
from xml.parsers import expat

#: Fields with the same name in the old addon.
SETTINGS = ('name', 'description', 'active', 'client_id', 'client_secret')


class Odoo:
    """Calls methods of one Odoo over XML-RPC."""

    def __init__(self, url, database, login, password):
        self.database, self.password = database, password
        try:
            common = xmlrpc.client.ServerProxy(f'{url}/xmlrpc/2/common')
            self.user_id = common.authenticate(database, login, password, {})
        except xmlrpc.client.Fault:
            raise SystemExit(f"{url} cannot open the database {database}. Is its name right?") from None
        except (xmlrpc.client.ProtocolError, expat.ExpatError):
            raise SystemExit(f"{url} is not the address of an Odoo.") from None
        except OSError as error:
            raise SystemExit(f"{url} cannot be reached: {error.strerror or error}.") from None
        if not self.user_id:
            raise SystemExit(f"{url} does not let {login} in.")
        self.object = xmlrpc.client.ServerProxy(f'{url}/xmlrpc/2/object', allow_none=True)

    def call(self, model, method, *arguments, **keywords):
        return self.object.execute_kw(self.database, self.user_id, self.password, model, method, arguments, keywords)

    def search_read(self, model, names):
        return self.call(model, 'search_read', [], names, context={'active_test': False})


def read_old(odoo):
    """Return the values of each application of the old addon for the new one."""
    known = odoo.call('orestapi.application', 'fields_get', [], ['type'])
    names = [name for name in SETTINGS if name in known]
    uris = {}
    for uri in odoo.search_read('orestapi.application.uri', ['application_id', 'uri']):
        uris.setdefault(uri['application_id'][0], []).append(uri['uri'])
    for application in odoo.search_read('orestapi.application', names):
        yield {
            **{name: application[name] for name in names},
            'legacy_connector': True,
            'uri_ids': [(0, 0, {'uri': uri}) for uri in uris.get(application['id'], [])],
        }


def get_password(side):
    """Return the password from the environment: on the command line, every user of the computer could see it."""
    name = f'{side.upper()}_PASSWORD'
    if not os.environ.get(name):
        raise SystemExit(f"The environment variable {name} is missing. Set it and export it.")
    return os.environ[name]


def main():
    parser = argparse.ArgumentParser(description="Carry applications over from the older addon.")
    for side in ('old', 'new'):
        for name in ('url', 'database', 'login'):
            parser.add_argument(f'--{side}-{name}', required=True)
    arguments = vars(parser.parse_args())
    passwords = {side: get_password(side) for side in ('old', 'new')}
    old, new = (
        Odoo(
            arguments[f'{side}_url'].rstrip('/'),
            arguments[f'{side}_database'],
            arguments[f'{side}_login'],
            password,
        )
        for side, password in passwords.items()
    )
    present = {each['client_id'] for each in new.search_read('orestapi.application', ['client_id'])}
    refused = 0
    for values in read_old(old):
        if values['client_id'] in present:
            print(f"{values['name']}: is there already")
            continue
        try:
            new.call('orestapi.application', 'create', values)
        except xmlrpc.client.Fault as fault:
            refused += 1
            print(f"{values['name']}: {fault.faultString.strip()}")
        else:
            print(f"{values['name']}: carried over with {len(values['uri_ids'])} callback URIs")
    return 1 if refused else 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except xmlrpc.client.Fault as fault:
        # The last line is the error; Odoo may show a traceback before it.
        sys.exit(fault.faultString.strip().splitlines()[-1])
