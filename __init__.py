from . import controllers, models


def uninstall_hook(env):
    # Set by people or by the settings, so that no data file takes them away.
    env['ir.config_parameter'].search([('key', '=like', 'orestapi.%')]).unlink()
