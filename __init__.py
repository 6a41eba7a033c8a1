from . import controllers, models
from .dispatchers import access_log, outage


def post_load():
    """Change what belongs to the whole process: its access log, and its answers while a database is away."""
    access_log.install()
    outage.install()


def uninstall_hook(env):
    # Set by people or by the settings, so that no data file takes them away.
    env['ir.config_parameter'].search([('key', '=like', 'orestapi.%')]).unlink()
