"""Mail over SMTP (RFC 5321): one connection for each message, its end in the words of `outcome`."""

import smtplib
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from chassis import clock
from services.notifications.outcome import Reason, Result
from services.notifications.providers import Message

# How the connection is encrypted: from its beginning (RFC 8314), by STARTTLS (RFC 3207), or not.
TLS_MODES = ("implicit", "starttls", "none")
# It was sent: whether the server says goodbye changes nothing any more.
_GOODBYE = 1.0


@dataclass(frozen=True)
class MailServer:
    """Where mail is handed over, how, and who it is from. `timeout` in seconds, for each answer."""

    host: str
    port: int
    tls: str
    sender: str
    timeout: float
    user: str | None = None
    password: str | None = field(default=None, repr=False)


class SmtpMail:
    """A provider that hands mail to a server.

    Its `Message-ID` is the same for every try at one delivery, so that a server or a mailbox that
    looks at it keeps one message even when we died before noting that it was sent.
    """

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._tls = None if server.tls == "none" else ssl.create_default_context()

    def send(self, message: Message, timeout: float | None = None) -> Result:
        """See Provider."""
        started = time.monotonic()
        try:
            self._send(message, timeout or self._server.timeout)
        except (smtplib.SMTPException, OSError) as error:
            reason, status = reason_for(error)
            return Result(reason, status=status, seconds=time.monotonic() - started)
        return Result(Reason.DELIVERED, status=250, seconds=time.monotonic() - started)

    def _send(self, message: Message, timeout: float) -> None:
        smtp = self._connect(timeout)
        try:
            if self._server.tls == "starttls":
                smtp.starttls(context=self._tls)
            if self._server.user and self._server.password:
                smtp.login(self._server.user, self._server.password)
            sender = parseaddr(self._server.sender)[1]
            smtp.sendmail(sender, [message.to], written(message, self._server.sender).as_bytes())
            _leave(smtp)
        finally:
            # `with` would ask a server that has fallen silent for a goodbye first.
            smtp.close()

    def _connect(self, timeout: float) -> smtplib.SMTP:
        where = (self._server.host, self._server.port)
        if self._server.tls == "implicit":
            return smtplib.SMTP_SSL(*where, timeout=timeout, context=self._tls)
        return smtplib.SMTP(*where, timeout=timeout)


def written(message: Message, sender: str) -> EmailMessage:
    """The message as mail: plain text and HTML, and marked as a machine's (RFC 3834)."""
    # In seven bits, which every server takes.
    mail = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    mail["From"] = sender
    mail["To"] = message.to
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(clock.local(clock.now()))
    mail["Message-ID"] = f"<{message.key}@{parseaddr(sender)[1].rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    mail.add_alternative(message.html, subtype="html")
    # Last, for whatever sets content drops what headers said of it.
    mail["Content-Language"] = message.language
    return mail


_REASONS: tuple[tuple[tuple[type[BaseException], ...], Reason], ...] = (
    ((ssl.SSLError, smtplib.SMTPNotSupportedError), Reason.PROVIDER_UNTRUSTED),
    ((TimeoutError,), Reason.PROVIDER_TIMEOUT),
    ((smtplib.SMTPAuthenticationError, smtplib.SMTPSenderRefused), Reason.PROVIDER_UNAUTHORIZED),
    ((smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError), Reason.PROVIDER_REFUSED),
    ((smtplib.SMTPException,), Reason.PROVIDER_ERROR),
)


def reason_for(error: smtplib.SMTPException | OSError) -> tuple[Reason, int | None]:
    """What went wrong, and the server's status if it said one.

    The recipient or the message refused for good (5xx) is the message's end. Anything else may be
    mended while it waits: by the operator (login, sender, certificate) or by time.
    """
    status = _status(error)
    if status is not None and 400 <= status < 500:
        return Reason.PROVIDER_BUSY, status
    # smtplib tells of a server that fell silent as of one that hung up.
    silent = isinstance(error.__context__, TimeoutError)
    cause = error.__context__ if silent else error
    known = (reason for kinds, reason in _REASONS if isinstance(cause, kinds))
    return next(known, Reason.PROVIDER_UNREACHABLE), status


def _status(error: Exception) -> int | None:
    """The status in the server's answer; of refused recipients there is one, for there is one."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return next(int(answer[0]) for answer in error.recipients.values())
    status = int(getattr(error, "smtp_code", None) or 0)
    # smtplib's -1 means that there was no answer.
    return status if status > 0 else None


def _leave(smtp: smtplib.SMTP) -> None:
    with suppress(smtplib.SMTPException, OSError):
        if smtp.sock:
            smtp.sock.settimeout(_GOODBYE)
        smtp.quit()
