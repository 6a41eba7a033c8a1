"""Carries applications over from the older addon of Odoo 11 and 12, so that nothing changes at the remote side.

It reads their names, client ids, client secrets and callback URIs from the old
Odoo, and creates them in the new one as *Legacy connector*, both over XML-RPC.
Nothing is changed in the old Odoo. What is there already, by its client id, is
left alone, so that the script can run again. Tokens are not carried over: the
older addon kept them in clear, and its users authenticate once more.

    OLD_PASSWORD=… NEW_PASSWORD=… python move_over.py \\
        --old-url https://old.example.com --old-database old --old-login admin \\
        --new-url https://odoo.example.com --new-database new --new-login admin

The passwords are those of administrators, or API keys where Odoo knows them.
"""

import argparse
import os
import sys
import xmlrpc.client

#: What is taken over where the old addon has it under the same name.
SETTINGS = ('name', 'description', 'active', 'client_id', 'client_secret')


class Odoo:
    """Calls methods of one Odoo over XML-RPC."""

    def __init__(self, url, database, login, password):
        self.database, self.password = database, password
        self.user_id = xmlrpc.client.ServerProxy(f'{url}/xmlrpc/2/common').authenticate(database, login, password, {})
        if not self.user_id:
            raise SystemExit(f"{url} does not let {login} in.")
        self.object = xmlrpc.client.ServerProxy(f'{url}/xmlrpc/2/object', allow_none=True)

    def call(self, model, method, *arguments, **keywords):
        return self.object.execute_kw(self.database, self.user_id, self.password, model, method, arguments, keywords)

    def search_read(self, model, names):
        return self.call(model, 'search_read', [], names, context={'active_test': False})


def read_old(odoo):
    """Return the values of each application of the old addon, as the new one takes them."""
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


def main():
    parser = argparse.ArgumentParser(description="Carry applications over from the older addon.")
    for side in ('old', 'new'):
        for name in ('url', 'database', 'login'):
            parser.add_argument(f'--{side}-{name}', required=True)
    arguments = vars(parser.parse_args())
    old, new = (
        Odoo(
            arguments[f'{side}_url'].rstrip('/'),
            arguments[f'{side}_database'],
            arguments[f'{side}_login'],
            os.environ[f'{side.upper()}_PASSWORD'],
        )
        for side in ('old', 'new')
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
    sys.exit(main())
