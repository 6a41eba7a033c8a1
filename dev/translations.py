"""`make translations`: the terms of the addon as they are now, into i18n/; what was translated stays.

A term that is new is left empty, and `TestTranslations` fails until somebody translates it.
"""

from .workbench.cache import CHECKOUT, CommandError, run_command, show
from .workbench.environment import enter

FOLDER = CHECKOUT / 'i18n'


def main():
    enter('dev.translations')
    import polib  # what Odoo itself reads these files with; needs the environment

    from .workbench.odoo_server import MODULE, Workbench

    template = FOLDER / f'{MODULE}.pot'
    with Workbench() as bench, bench.database('translations') as database:
        # Not with Odoo's own command, which does not take the options that lead to the database.
        bench.run_script(
            database,
            f"""
            import io
            from odoo.tools.translate import trans_export
            output = io.BytesIO()
            trans_export(None, ['{MODULE}'], output, 'po', env)
            open({str(template)!r}, 'wb').write(output.getvalue())
            """,
        )
    missing = 0
    for path in sorted(FOLDER.glob('*.po')):
        old = polib.pofile(str(path))
        translations = {entry.msgid: entry.msgstr for entry in old}
        new = polib.pofile(str(template), wrapwidth=old.wrapwidth)
        new.metadata, new.header = old.metadata, old.header
        for entry in new:
            entry.msgstr = translations.get(entry.msgid, '')
            missing += not entry.msgstr
        new.save(str(path))
        show(f'{path.relative_to(CHECKOUT)}: {new.percent_translated()} % translated')
    if missing:
        raise CommandError(f"{missing} translations are missing.")
    return 0


if __name__ == '__main__':
    run_command(main)
