"""The number of SQL statements of a call, which Odoo itself counts and logs."""

import re
import time

from dev.workbench.wire import send

from . import calls
from .closed_loop import Refused
from .result import Result

CALLS = 5


def measure(servers):
    odoo = servers.few
    key = odoo.get_api_key()
    sign_ins = odoo.sign_ins

    def count(clients):
        client = clients[0]
        for _number in range(CALLS):  # several calls, so that the caches of both workers are filled
            answer = send(odoo.port, client.render())
            if answer.status != 200:
                raise Refused(f"Status {answer.status} where queries are counted.")
            client.read(answer.body)
        path = client.render().split()[1].decode().partition('?')[0]
        time.sleep(0.2)
        found = re.findall(rf' {re.escape(path)}\S* HTTP/1.0" 200 - (\d+) ', odoo.server.log.read_text())
        return min(map(int, found[-CALLS:]))

    core = count(calls.json2(lambda: key, odoo.partners))
    # Always the same token: another one would most likely belong to an application that no worker has cached yet.
    token = sign_ins.get_user_access_token()
    bearer = count(calls.json2(lambda: token, odoo.partners))
    floor = count(calls.health())
    refresh = count(calls.refresh(odoo.application, sign_ins.reset_refresh_tokens(100)))
    return [
        # Core looks up the API key with one query, which a call with an access token does not need.
        Result(
            "Queries of a bearer call beyond Odoo's own",
            str(bearer),
            f'{core - 1} (JSON-2 without the API key)',
            str(bearer - core + 1),
            '≤ 1',
            bearer - core + 1 <= 1,
        ),
        Result(
            "Queries of a refresh beyond Odoo's own",
            str(refresh),
            f'{floor} (`/web/health`)',
            str(refresh - floor),
            '≤ 3',
            refresh - floor <= 3,
        ),
    ]
