"""Sending mail: through the SMTP server of the settings, in the background, a few at a time."""

import smtplib
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from threading import BoundedSemaphore
from urllib.parse import SplitResult, unquote, urlsplit

import structlog

from pynomaly.errors import ConfigurationError
from pynomaly.settings import Settings

TIMEOUT_SECONDS = 10.0
WAITING = 100
PORTS = {"smtp": 587, "smtps": 465}
log = structlog.get_logger(__name__)


class Mail:
    """The post box of one process; `enabled` tells whether there is a server to send through."""

    def __init__(self, settings: Settings) -> None:
        """Read the settings; no connection is made yet.

        Raises ConfigurationError when the server's address or the sender's cannot be used.
        """
        url = settings.smtp_url.get_secret_value()
        self.enabled = bool(url)
        self._sender = settings.smtp_from
        self._server = _parsed(url) if url else None
        if self.enabled and "@" not in self._sender:
            raise ConfigurationError("PYNOMALY_SMTP_URL needs PYNOMALY_SMTP_FROM, an e-mail address.")
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="mail")
        self._room = BoundedSemaphore(WAITING)

    def later(self, work: Callable[[], None]) -> None:
        """Do `work`, which sends mail, after the answer: how long it takes tells nobody anything.

        When too much waits already, it is not done; a failure is logged.
        """
        if not self._room.acquire(blocking=False):
            log.warning("mail_dropped")
            return
        self._threads.submit(self._do, work)

    def send(self, to: str, subject: str, text: str) -> None:
        """Send one message, and wait for it; raises OSError or smtplib.SMTPException."""
        assert self._server is not None
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self._sender, to, subject
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        with _connected(self._server) as smtp:
            smtp.send_message(message)

    def close(self) -> None:
        """Finish the letter in hand, then stop: a server that hangs must not keep this one from stopping."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _do(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - nobody waits for it: say so and go on
            log.warning("mail_failed", error=type(error).__name__)  # its message may name the receiver
        finally:
            self._room.release()


def _parsed(url: str) -> SplitResult:
    """Check the address; its password is not repeated."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in PORTS and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable:
        raise ConfigurationError("PYNOMALY_SMTP_URL is not smtp://HOST:PORT or smtps://HOST:PORT.")
    return parts


def _connected(server: SplitResult) -> smtplib.SMTP:
    """Connect, with TLS when the server has it; a password is never sent without."""
    host, port = str(server.hostname), server.port or PORTS[server.scheme]
    context = ssl.create_default_context()
    if server.scheme == "smtps":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_SECONDS, context=context)
    else:
        smtp = smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
    try:
        _secure(smtp, server, context)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _secure(smtp: smtplib.SMTP, server: SplitResult, context: ssl.SSLContext) -> None:
    smtp.ehlo()
    if server.scheme == "smtp" and (server.username or smtp.has_extn("starttls")):
        smtp.starttls(context=context)
    if server.username:
        smtp.login(unquote(server.username), unquote(server.password or ""))
