"""Python inside Odoo, for what no API offers, and beside a running server."""

import json
import subprocess
import textwrap

from dev.cache import Problem


def run(bench, database, script):
    """Run `script` in an Odoo shell and return what it assigned to `result`.

    :param str script: Python; `env` is there, and the transaction is committed at the end
    """
    program = textwrap.dedent(script) + "\nenv.cr.commit()\nimport json\nprint('RESULT', json.dumps(result))\n"
    command = bench.odoo_command(database, '--no-http', '--log-level', 'warn')
    command[command.index('server')] = 'shell'
    # One expression, because the shell reads line by line from what is not a terminal only up to an error.
    done = subprocess.run(
        command, input=program, env=bench.environment, cwd=bench.data, capture_output=True, text=True, check=False
    )
    for line in done.stdout.splitlines():
        if line.startswith('RESULT '):
            return json.loads(line.removeprefix('RESULT '))
    raise Problem(f"The Odoo shell failed: {done.stderr[-1500:]}")
