"""The e-mail about a code or token that was used twice, with a real mail server on loopback."""

import email
import email.policy
import queue
import secrets

import pytest
from aiosmtpd.controller import Controller

from dev.live.conftest import Live
from dev.workbench.odoo_server import HOST, free_port

pytestmark = pytest.mark.same


class Inbox:
    """Stores each incoming e-mail."""

    def __init__(self):
        self.messages = queue.Queue()

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.messages.put((envelope.rcpt_tos, message))
        return '250 OK'


@pytest.fixture
def mail_server():
    inbox = Inbox()
    controller = Controller(inbox, hostname=HOST, port=free_port())
    controller.start()
    yield controller.port, inbox.messages
    controller.stop()


def test_administrators_are_told_of_a_replay(bench, installed, mail_server):
    port, messages = mail_server
    with (
        bench.copy(installed, 'mail') as database,
        # With cron, which sends the mail.
        bench.serve(database, '--smtp', HOST, '--smtp-port', str(port), '--max-cron-threads', '1', workers=2) as server,
    ):
        live = Live(server)
        application = live.register(name="Wiki of the office")
        verifier = secrets.token_urlsafe(48)
        code = live.get_code(live.log_in(), application, verifier)
        assert live.redeem(application, code, verifier).status_code == 200
        assert live.redeem(application, code, verifier).json()['error'] == 'invalid_grant'
        recipients, message = messages.get(timeout=90)
        assert recipients
        body = message.get_content()
        assert "An authorization code of Wiki of the office for Mitchell Admin was used twice" in body
        assert code not in body
        assert live.call('orestapi.event', 'search_count', [('kind', '=', 'code_replayed')]) == 1
