"""Our mail against a server that speaks SMTP, well and badly."""

import os
import socket
import ssl
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from uuid import uuid4

import pytest
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deploy.local.mail_standin import Office
from services.notifications.mail import SmtpMail
from services.notifications.outcome import Reason
from services.notifications.providers import Message
from tests.integration.notifications.world import Postbox, an_address


def message(to=None):
    return Message(
        key=str(uuid4()),
        to=to or an_address(),
        text="您好",
        subject="【邻里】您好",
        html="<p>您好</p>",
        language="zh-CN",
    )


@pytest.fixture
def mail(mail_server, postbox):
    return SmtpMail(mail_server)


def test_mail_is_handed_over(mail, postbox):
    sent = message()

    result = mail.send(sent)

    assert (result.reason, result.status) == (Reason.DELIVERED, 250)
    [item] = postbox.items(sent.to)
    assert (item["subject"], item["from"]) == ("【邻里】您好", "linli@community.example")
    assert (item["text"].strip(), item["html"].strip()) == ("您好", "<p>您好</p>")
    assert sent.key in item["message_id"]


@pytest.mark.parametrize(
    ("stage", "code", "reason"),
    [
        ("mail", 451, Reason.PROVIDER_BUSY),
        ("mail", 553, Reason.PROVIDER_UNAUTHORIZED),
        ("rcpt", 450, Reason.PROVIDER_BUSY),
        ("rcpt", 550, Reason.PROVIDER_REFUSED),
        ("data", 452, Reason.PROVIDER_BUSY),
        ("data", 554, Reason.PROVIDER_REFUSED),
    ],
)
def test_a_servers_answer_says_why(mail, postbox, stage, code, reason):
    postbox.misbehave(stage=stage, code=code)
    sent = message()

    result = mail.send(sent)

    assert (result.reason, result.status) == (reason, code)
    assert postbox.items(sent.to) == []


def test_a_server_that_falls_silent_is_not_waited_for(mail, postbox):
    postbox.misbehave(stage="data", delay=3)
    result = mail.send(message())
    assert result.reason is Reason.PROVIDER_TIMEOUT
    assert 0.4 < result.seconds < 2.5


def test_a_server_that_is_not_there_is_unreachable(mail_server, free_port):
    nowhere = replace(mail_server, port=free_port())
    assert SmtpMail(nowhere).send(message()).reason is Reason.PROVIDER_UNREACHABLE


def test_a_server_that_hangs_up_is_in_trouble(mail_server):
    with hanging_up() as port:
        result = SmtpMail(replace(mail_server, port=port)).send(message())
    assert result.reason is Reason.PROVIDER_ERROR


def test_a_server_without_encryption_gets_no_mail_where_it_is_asked_for(mail_server, postbox):
    sent = message()
    result = SmtpMail(replace(mail_server, tls="starttls")).send(sent)
    assert result.reason is Reason.PROVIDER_UNTRUSTED
    assert postbox.items(sent.to) == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """The path of a certificate of 127.0.0.1, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return path


@pytest.fixture(scope="module")
def guarded(certificate, free_port):
    """A mail server that wants STARTTLS and a login, and its postbox."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def authenticate(_server, _session, _envelope, _mechanism, login):
        known = (login.login, login.password) == (b"linli", b"sesame")
        return AuthResult(success=known, handled=False)

    office = Office(
        free_port(),
        0,
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=authenticate,
    )
    office.open()
    postbox = Postbox(office.url)
    yield office.smtp_port, postbox
    postbox.close()
    office.close()


def test_mail_goes_encrypted_and_with_a_login(mail_server, guarded, certificate, monkeypatch):
    port, postbox = guarded
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    server = replace(mail_server, port=port, tls="starttls", user="linli", password="sesame")
    sent = message()

    assert SmtpMail(server).send(sent).reason is Reason.DELIVERED

    assert postbox.subjects(sent.to) == ["【邻里】您好"]


def test_a_wrong_login_is_the_operators_to_mend(mail_server, guarded, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    server = replace(mail_server, port=guarded[0], tls="starttls", user="linli", password="guess")
    result = SmtpMail(server).send(message())
    assert (result.reason, result.status) == (Reason.PROVIDER_UNAUTHORIZED, 535)


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_a_certificate_that_nobody_vouches_for_is_not_trusted(mail_server, guarded, tls):
    result = SmtpMail(replace(mail_server, port=guarded[0], tls=tls)).send(message())
    assert result.reason is Reason.PROVIDER_UNTRUSTED


_AS_IN_THE_SERVICE = """
import sys
import chassis.runner
from services.notifications.mail import MailServer, SmtpMail
from services.notifications.providers import Message
server = MailServer("127.0.0.1", int(sys.argv[1]), "starttls", "linli@community.example", 2.0,
                    "linli", "sesame")
print(SmtpMail(server).send(Message("key", sys.argv[2], "x", "green", "<p>x</p>", "en")).reason)
"""


def test_encryption_works_in_a_process_of_green_threads(guarded, certificate):
    port, postbox = guarded
    to = an_address()

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _AS_IN_THE_SERVICE, str(port), to],
        env={**os.environ, "SSL_CERT_FILE": str(certificate), "PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == "delivered"
    assert postbox.subjects(to) == ["green"]


def test_the_standin_says_that_it_is_one_and_finds_an_address_in_any_case(mail, postbox):
    sent = message()
    mail.send(sent)
    assert postbox.items(sent.to.upper())[0]["id"] == postbox.items(sent.to)[0]["id"]
    assert postbox._session.get(postbox.url, timeout=5).json()["stand_in"] is True
    wrong = postbox._session.put(f"{postbox.url}/faults", json={"stage": "quit"}, timeout=5)
    assert wrong.status_code == 422


@contextmanager
def hanging_up():
    """A server that greets and hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"220 hello\r\n")
            connection.recv(100)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        thread.join()
        listener.close()
