"""Receives the code of an application on this computer (RFC 8252 §7.3). Needs only Python."""

import http.server
import threading
import urllib.parse
import webbrowser

PAGE = "<!doctype html><meta charset=utf-8><title>Done</title><p>You can close this page and go back to the script."


class Callback(http.server.HTTPServer):
    """Waits on a free port of this computer for the browser to come back."""

    def __init__(self):
        super().__init__(('127.0.0.1', 0), CallbackHandler)
        self.response = None
        self.received = threading.Event()

    @property
    def uri(self):
        """The redirect URI. Its port may differ from the registered one."""
        return f'http://127.0.0.1:{self.server_port}/callback'

    def ask(self, address):
        """Open an authorization request in the browser, and return the URI that the browser was redirected to."""
        print(f"Allow it in the browser: {address}", flush=True)
        webbrowser.open(address)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        try:
            self.received.wait()
        except KeyboardInterrupt:
            raise SystemExit("Stopped before the browser came back.") from None
        self.shutdown()
        return self.response


class CallbackHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if urllib.parse.urlsplit(self.path).path != '/callback':
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header('Content-Type', 'text/html; charset=utf-8')
        self.end_headers()
        self.wfile.write(PAGE.encode())
        self.server.response = f'http://127.0.0.1:{self.server.server_port}{self.path}'
        self.server.received.set()

    def log_message(self, *args):
        # Logs nothing, because the request line contains the code.
        pass


def get_parameters(response, issuer=None):
    """Return the parameters of an authorization response, or exit with the error from the server.

    :param response: the URI that the browser was redirected to
    :param issuer: the issuer of the server, if it identifies itself in responses (RFC 9207)
    """
    parameters = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(response).query))
    if issuer and parameters.get('iss') != issuer:
        raise SystemExit("The answer came from another server.")
    if 'error' in parameters:
        description = parameters.get('error_description')
        raise SystemExit(f"Not allowed: {parameters['error']}" + (f": {description}" if description else ""))
    return parameters
