from . import controllers, models
from .dispatchers import access_log, outage, remote_address


def post_load():
    """Change what belongs to the process: its log, its answers during an outage, and who asks over RPC."""
    access_log.install()
    outage.install()
    remote_address.install()


def uninstall_hook(env):
    # Set by people or by the settings, so that no data file takes them away.
    env['ir.config_parameter'].search([('key', '=like', 'orestapi.%')]).unlink()
