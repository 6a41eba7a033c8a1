"""Debian's package of Odoo 19, downloaded by apt with checked signatures, and unpacked in the cache, not installed."""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from .cache import CommandError, Progress, cache_directory, child, finish, finished, locked, measure, start_over

PACKAGES = (
    'odoo-19',
    # Odoo's static files are links into these.
    'libjs-jquery',
    'libjs-underscore',
    'libjs-jquery-form',
    'fonts-font-awesome',
    'fonts-roboto-unhinted',
    'fonts-montserrat',
    'fonts-inconsolata',
    'fonts-ocr-b',
    'fonts-glyphicons-halflings',
)
KEYRING = Path('/usr/share/keyrings/debian-archive-keyring.gpg')
INSTEAD = "set ODOO_PATH to a checkout or an installation of Odoo 19.0, or use the compose.yaml with Docker"

# The machine's own apt configuration still applies (proxies, certificates); only the paths for reading or changing its
# packages are replaced.
APT_CONFIGURATION = """\
Dir::State "{apt}/state";
Dir::State::Lists "{apt}/lists";
Dir::State::status "{apt}/status";
Dir::Cache "{apt}/cache";
Dir::Etc::SourceList "{apt}/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Acquire::Languages "none";
Acquire::Retries "3";
APT::Sandbox::User "";
#clear APT::Default-Release;
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""


def _apt_entries():
    """Yield ``(uri, suites, components, signed_by)`` of each binary source of this machine."""
    for path in [Path('/etc/apt/sources.list'), *sorted(Path('/etc/apt/sources.list.d').glob('*'))]:
        if not path.is_file():
            continue
        text = path.read_text(errors='replace')
        if path.suffix == '.sources':
            for stanza in re.split(r'\n\s*\n', re.sub(r'(?m)^#.*\n?', '', text)):
                fields = {
                    key.lower(): ' '.join(value.split())
                    for key, value in re.findall(r'(?m)^([\w-]+):((?:.*)(?:\n[ \t].*)*)', stanza)
                }
                if 'deb' in fields.get('types', '').split() and fields.get('enabled', 'yes').lower() != 'no':
                    for uri in fields.get('uris', '').split():
                        yield (
                            uri,
                            fields.get('suites', '').split(),
                            fields.get('components', '').split(),
                            fields.get('signed-by', ''),
                        )
        elif path.suffix == '.list':
            for options, uri, suite, components in re.findall(
                r'(?m)^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#\n]*)', text
            ):
                signed_by = re.search(r'signed-by=(\S+)', options or '')
                yield uri, [suite], components.split(), signed_by[1] if signed_by else ''


def _debian_mirror():
    """Return the URI of the Debian mirror which this machine's apt uses."""
    system = platform.freedesktop_os_release() if Path('/etc/os-release').exists() else {}
    suites = {'stable', 'testing', 'unstable', 'sid', system.get('VERSION_CODENAME', '')} - {''}
    candidates = []
    for uri, names, components, signed_by in _apt_entries():
        if 'main' not in components or 'security' in uri:
            continue
        debian_key = 'debian-archive' in signed_by
        if debian_key or (system.get('ID') == 'debian' and suites & set(names)):
            # Third parties may name suites like Debian's, so the archive's own path and key come first.
            candidates.append((not debian_key, not uri.rstrip('/').endswith('/debian'), uri))
    if not candidates:
        name = system.get('PRETTY_NAME', 'this system')
        raise CommandError(
            f"The apt sources of {name} have no Debian mirror, and only Debian has the package odoo-19; {INSTEAD}."
        )
    if not KEYRING.is_file():
        raise CommandError(
            f"{KEYRING} is missing, which is needed to check Debian's signatures; "
            "install debian-archive-keyring with apt-get and start again."
        )
    return min(candidates)[2]


def _apt(configuration, *arguments, cwd=None):
    return subprocess.run(
        ['apt-get', '-q', '-c', configuration, *arguments],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env={**os.environ, 'LC_ALL': 'C.UTF-8'},
    )


def _sha256(path):
    state = hashlib.sha256()
    with path.open('rb') as file:
        while block := file.read(1 << 20):
            state.update(block)
    return state.hexdigest()


def _download(cache):
    """Return the verified packages as ``{name: path}``."""
    for program in ('apt-get', 'dpkg-deb'):
        if not shutil.which(program):
            raise CommandError(
                f"{program} is not on this system, so Debian's package of Odoo cannot be fetched; {INSTEAD}."
            )
    mirror = _debian_mirror()
    apt = cache / 'apt'
    for name in ('state', 'lists/partial', 'cache/archives/partial'):
        (apt / name).mkdir(parents=True, exist_ok=True)
    packages = cache / 'packages'
    packages.mkdir(exist_ok=True)
    (apt / 'status').touch()
    (apt / 'sources.list').write_text(f'deb [signed-by={KEYRING}] {mirror} unstable main\n')
    configuration = apt / 'apt.conf'
    configuration.write_text(APT_CONFIGURATION.format(apt=apt))

    progress = Progress('Debian package lists (unstable)')
    # Without this option, `update` succeeds with a warning when the mirror cannot be reached.
    updated = _apt(configuration, '-o', 'APT::Update::Error-Mode=any', 'update')
    if updated.returncode:
        sys.stderr.write(updated.stdout[-1500:])
        raise CommandError(
            "apt could not read Debian's unstable suite with a valid signature (see its output above); "
            f"check the network and start again, or {INSTEAD}."
        )
    progress.finish()

    listed = _apt(configuration, '--print-uris', 'download', *PACKAGES)
    if listed.returncode:
        if 'odoo-19' in listed.stdout:
            raise CommandError(f"Debian's unstable suite no longer has the package odoo-19; {INSTEAD}.")
        sys.stderr.write(listed.stdout[-1500:])
        raise CommandError(f"apt does not find the packages that Odoo needs (see its output above); {INSTEAD}.")
    wanted = {}
    for name, size, checksum in re.findall(r"(?m)^'[^']+' (\S+) (\d+) SHA256:(\w+)$", listed.stdout):
        wanted[name.split('_')[0]] = packages / name, int(size), checksum
    if set(wanted) != set(PACKAGES):
        raise CommandError(f"apt's list of downloads could not be read; {INSTEAD}.")
    version = wanted['odoo-19'][0].name.split('_')[1]
    if not version.startswith('19.0'):
        raise CommandError(f"Debian's package odoo-19 is now {version}, not 19.0; {INSTEAD}.")

    total = sum(size for _path, size, _checksum in wanted.values())
    progress = Progress(f'Odoo {version} from Debian, {total / 1e6:.0f} MB')
    with (
        (apt / 'download.log').open('w') as output,
        child(
            ['apt-get', '-q', '-c', configuration, 'download', *PACKAGES],
            cwd=packages,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as download,
    ):
        while download.poll() is None:
            progress.show(measure(packages)[1], total)
            time.sleep(0.5)
    for path, size, checksum in wanted.values():
        # apt has checked new downloads; this also checks files left by an earlier run.
        if not path.is_file() or path.stat().st_size != size or _sha256(path) != checksum:
            path.unlink(missing_ok=True)
            sys.stderr.write((apt / 'download.log').read_text()[-1500:])
            raise CommandError(
                f"The download of {path.name} is incomplete or damaged (see apt's output above); "
                f"check the network and start again, or {INSTEAD}."
            )
    progress.finish()
    return {name: path for name, (path, _size, _checksum) in wanted.items()}


def _repair_links(tree):
    """Give dangling links of Odoo's static files a target: the fonts have other names in current Debian versions."""
    import xstatic.pkg.font_awesome as font_awesome  # a package of the virtual environment

    awesome = Path(font_awesome.BASE_DIR, 'fonts')
    for directory, folders, files in os.walk(tree / 'usr/lib/python3/dist-packages'):
        for name in (*folders, *files):
            link = Path(directory, name)
            if not link.is_symlink():
                continue
            target = str(link.readlink())
            if target.startswith('/'):
                # The package is only unpacked, so an absolute target is inside its tree.
                link.unlink()
                link.symlink_to(os.path.relpath(tree / target.lstrip('/'), directory))
            if link.exists():
                continue
            if (awesome / name).is_file():
                source = awesome / name
            elif name == 'Inconsolata.otf':
                source = tree / 'usr/share/fonts/opentype/inconsolata/Inconsolata-Regular.otf'
            else:
                raise CommandError(f"{link} of Debian's package of Odoo points to nothing; {INSTEAD}.")
            link.unlink()
            shutil.copy(source, link)


def unpacked_odoo():
    """Return the folder to put on the Python path that contains Odoo 19.0, and fetch it if necessary."""
    cache = cache_directory()
    tree = cache / 'odoo'
    with locked('Odoo'):
        if not finished(tree):
            start_over(tree)
            packages = _download(cache)
            tree.mkdir()
            progress = Progress('Unpacking Odoo, 1.1 GB')
            for number, (name, path) in enumerate(packages.items()):
                progress.show(number, len(packages), name)
                unpacked = subprocess.run(['dpkg-deb', '-x', path, tree], capture_output=True, text=True, check=False)
                if unpacked.returncode:
                    raise CommandError(
                        f"{path.name} could not be unpacked ({unpacked.stderr.strip()}); "
                        "make room in the cache or set ORESTAPI_CACHE to another disk, and start again."
                    )
            _repair_links(tree)
            finish(tree)
            progress.finish()
    return tree / 'usr/lib/python3/dist-packages'
