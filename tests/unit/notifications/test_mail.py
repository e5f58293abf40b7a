"""Mail as it is written, and what a server's answer means for it."""

import smtplib
import socket
import ssl
from email import message_from_bytes, policy

import pytest

from services.notifications.mail import reason_for, written
from services.notifications.outcome import Reason
from services.notifications.providers import Message

SENDER = "邻里 <linli@community.example>"
MESSAGE = Message(
    key="0198c0de-0000-7000-8000-000000000042",
    to="wang.fang@example.org",
    text="您好",
    subject="【邻里】已收到您的诉求",
    html="<p>您好</p>",
    language="zh-CN",
)


def refused(code):
    return smtplib.SMTPRecipientsRefused({MESSAGE.to: (code, b"told so")})


def fell_silent():
    error = smtplib.SMTPServerDisconnected("Connection unexpectedly closed")
    error.__context__ = TimeoutError()
    return error


@pytest.mark.parametrize(
    ("error", "reason", "status"),
    [
        (refused(550), Reason.PROVIDER_REFUSED, 550),
        (refused(450), Reason.PROVIDER_BUSY, 450),
        (smtplib.SMTPDataError(554, b"spam"), Reason.PROVIDER_REFUSED, 554),
        (smtplib.SMTPDataError(452, b"full"), Reason.PROVIDER_BUSY, 452),
        (smtplib.SMTPSenderRefused(553, b"no", SENDER), Reason.PROVIDER_UNAUTHORIZED, 553),
        (smtplib.SMTPAuthenticationError(535, b"no"), Reason.PROVIDER_UNAUTHORIZED, 535),
        (smtplib.SMTPAuthenticationError(454, b"later"), Reason.PROVIDER_BUSY, 454),
        (smtplib.SMTPConnectError(554, b"no service"), Reason.PROVIDER_ERROR, 554),
        (smtplib.SMTPConnectError(421, b"later"), Reason.PROVIDER_BUSY, 421),
        (smtplib.SMTPConnectError(-1, b""), Reason.PROVIDER_ERROR, None),
        (smtplib.SMTPServerDisconnected("gone"), Reason.PROVIDER_ERROR, None),
        (fell_silent(), Reason.PROVIDER_TIMEOUT, None),
        (smtplib.SMTPNotSupportedError("no STARTTLS"), Reason.PROVIDER_UNTRUSTED, None),
        (ssl.SSLCertVerificationError(), Reason.PROVIDER_UNTRUSTED, None),
        (TimeoutError(), Reason.PROVIDER_TIMEOUT, None),
        (ConnectionRefusedError(), Reason.PROVIDER_UNREACHABLE, None),
        (socket.gaierror(), Reason.PROVIDER_UNREACHABLE, None),
    ],
    ids=str,
)
def test_an_error_says_why(error, reason, status):
    assert reason_for(error) == (reason, status)


def test_mail_is_written_in_two_forms_and_marked_as_a_machines():
    mail = message_from_bytes(written(MESSAGE, SENDER).as_bytes(), policy=policy.default)

    assert mail["From"].addresses[0].display_name == "邻里"
    assert (mail["To"], mail["Subject"]) == (MESSAGE.to, MESSAGE.subject)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Content-Language"] == "zh-CN"
    assert mail["Date"].datetime.utcoffset().total_seconds() == 8 * 3600
    forms = {part.get_content_type(): part.get_content().strip() for part in mail.iter_parts()}
    assert forms == {"text/plain": "您好", "text/html": "<p>您好</p>"}


def test_every_try_at_a_delivery_has_the_same_message_id():
    first, second = (written(MESSAGE, SENDER)["Message-ID"] for _ in range(2))
    assert first == second == f"<{MESSAGE.key}@community.example>"


def test_mail_goes_over_the_wire_in_ascii():
    assert written(MESSAGE, SENDER).as_bytes().isascii()
