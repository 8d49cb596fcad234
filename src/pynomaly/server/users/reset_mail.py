"""A link for a new password, by e-mail: whoever asks hears the same, whether there is an account or not."""

from functools import partial

from sqlalchemy import select

from pynomaly.server.db import Database
from pynomaly.server.mail import Mail
from pynomaly.server.users import resets, throttle
from pynomaly.server.users.models import User
from pynomaly.server.users.service import normalised_email
from pynomaly.settings import Settings

TEXT = """\
Somebody, probably you, asked for a new password for your Pynomaly account.

Choose it here (this link works once, until {until}):

{link}

If it was not you, ignore this message: nothing has changed.
"""


def request(database: Database, settings: Settings, mail: Mail, email: str, *, address: str = "") -> None:
    """Send a link to an account's address, if there is one and mail is set up; nothing of it is told.

    Looking for the account is done in the background too, so that no answer takes longer than another.

    Raises TooManyAttempts when too many were asked for of late, for this address or from this client.
    """
    email = normalised_email(email)[:254]
    with database.session() as session:
        throttle.begin(session, email, address, throttle.RESET)
    if mail.enabled:
        mail.later(partial(_send, database, settings, mail, email))


def _send(database: Database, settings: Settings, mail: Mail, email: str) -> None:
    with database.session() as session:
        user = session.scalars(select(User).where(User.email == email, User.active)).first()
        if user is None:
            return
        path, expires_at = resets.issue(session, None, user, resets.BY_MAIL)
    text = TEXT.format(link=settings.public_url + path, until=f"{expires_at:%Y-%m-%d %H:%M} UTC")
    mail.send(user.email, "A new password for Pynomaly", text)
