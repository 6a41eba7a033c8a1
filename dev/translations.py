"""`make translations`: writes the current terms of the addon to i18n/ and keeps their translations.

New terms are left empty, and `TestTranslations` fails until somebody translates them.
"""

from .workbench.cache import CHECKOUT, CommandError, run_command, show
from .workbench.environment import enter

FOLDER = CHECKOUT / 'i18n'


def main():
    enter('dev.translations')
    import polib  # which Odoo uses too; needs the environment

    from .workbench.odoo_server import MODULE, Workbench

    template = FOLDER / f'{MODULE}.pot'
    with Workbench() as bench, bench.database('translations') as database:
        # Odoo's own command does not accept the options for the database connection.
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
