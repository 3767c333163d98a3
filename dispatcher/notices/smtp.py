"""E-mail: one message, one SMTP session (RFC 5321), with STARTTLS (RFC 3207) unless the configuration does without."""

import os
import smtplib
import ssl
from contextlib import suppress
from email.message import EmailMessage
from email.utils import formatdate

from dispatcher.config import ConfigError, SmtpChannel
from dispatcher.notices.channel import Delivered, Failed
from dispatcher.notices.compose import Message
from dispatcher.notices.deadline import deadline

__all__ = ["Smtp"]

SESSION_TIMEOUTS = 3  # a session has many answers to wait for; all of them together take no longer than so many


class Smtp:
    """See `channel.Channel`; a message's address is a mailbox. What the server says may name it, so it is not repeated.

    Args:
        name: of the channel, for messages about it.
        settings: from the configuration.

    Raises:
        ConfigError: user or password are not in the environment.
    """

    def __init__(self, name: str, settings: SmtpChannel) -> None:
        self._settings = settings
        self._credentials = None
        if settings.user_env is not None and settings.password_env is not None:
            found = [os.environ.get(variable, "") for variable in (settings.user_env, settings.password_env)]
            if not all(found):
                raise ConfigError(
                    f"notices.channels.{name}: the environment has no {settings.user_env} or {settings.password_env}"
                )
            self._credentials = (found[0], found[1])

    def deliver(self, message: Message) -> Delivered | Failed:
        """Send it. A refusal for good (5xx) of this mail is not tried again; everything else is."""
        try:
            mail = self._mail(message)
        except ValueError:  # an address that would break out of its header
            return Failed("address", retry=False)
        try:
            return self._send(mail)
        except smtplib.SMTPRecipientsRefused as error:
            code = next(iter(error.recipients.values()))[0]
            return Failed(f"smtp recipient {code}", retry=code < 500)
        except smtplib.SMTPAuthenticationError as error:  # somebody can set the password right
            return Failed(f"smtp login {error.smtp_code}", retry=True)
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            return Failed(f"smtp {error.smtp_code}", retry=error.smtp_code < 500)
        except smtplib.SMTPException as error:
            return Failed(f"smtp {type(error).__name__}", retry=True)
        except OSError as error:
            return Failed(f"connection: {type(error).__name__}", retry=True)

    def _send(self, mail: EmailMessage) -> Delivered:
        settings = self._settings
        server = smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout_s)
        try:
            with deadline(SESSION_TIMEOUTS * settings.timeout_s, lambda: server.sock):
                if settings.starttls:
                    server.starttls(context=ssl.create_default_context())
                if self._credentials is not None:
                    server.login(*self._credentials)
                server.send_message(mail)
                with suppress(smtplib.SMTPException, OSError):  # it was accepted, whatever is said to our leaving
                    server.quit()
        finally:
            server.close()
        return Delivered()

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        mail["From"] = self._settings.sender
        mail["To"] = message.address or ""
        mail["Subject"] = message.subject
        mail["Date"] = formatdate()
        mail["Message-ID"] = f"<{message.message_id}@{self._settings.sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notes in return
        mail.set_content(message.text + "\n")
        return mail
