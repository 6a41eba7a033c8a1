"""TLS in front of a server of this computer, as a proxy does it in production."""

import asyncio
import contextlib
import ssl
import subprocess
import threading

from .odoo_server import HOST, free_port


def make_certificate(path):
    """Write a key and a certificate for this computer into a file."""
    subprocess.run(
        [
            'openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
            '-subj', f'/CN={HOST}', '-addext', f'subjectAltName=IP:{HOST}', '-days', '2',
            '-keyout', path, '-out', path.with_suffix('.part'),
        ],
        capture_output=True,
        check=True,
    )  # fmt: skip
    path.write_text(path.read_text() + path.with_suffix('.part').read_text())


@contextlib.contextmanager
def front(port, certificate):
    """Yield the port at which a server of this computer answers with TLS.

    :param int port: the port of the server
    :param Path certificate: the file with key and certificate
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    own_port = free_port()
    started, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def copy(reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def accept(reader, writer):
        try:
            inner_reader, inner_writer = await asyncio.open_connection(HOST, port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer))

    async def run():
        server = await asyncio.start_server(accept, HOST, own_port, ssl=context)
        started.set()
        await stop.wait()
        server.close()
        # Browsers keep connections open.
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # In a thread of its own: Playwright runs a loop in that of the tests.
    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    started.wait()
    try:
        yield own_port
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
