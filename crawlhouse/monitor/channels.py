"""Sends messages by Apprise, which knows some hundred services, or by Airflow's own notifier for e-mail."""

from __future__ import annotations

import html
import json
import logging
import os
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from crawlhouse.monitor.messages import Message
from schemas.config.notify import Notify
from schemas.errors import ConfigError, UnavailableError

PREFIX = "CRAWLHOUSE_NOTIFY_"
SLACK = "https://hooks.slack.com/services/"  # the host of a Slack connection that names none
EXAMPLE = "such as mailto://user:password@mail.example.com?to=me@example.com, slack://..., or json://host/path for a webhook"


class AirflowConnection(Protocol):
    """What is read of an Airflow connection."""

    conn_type: str
    host: str | None
    port: int | None
    login: str | None
    password: str | None
    schema: str | None

    @property
    def extra_dejson(self) -> Mapping[str, Any]: ...  # noqa: D102 Airflow's own


FindConnection = Callable[[str], AirflowConnection | None]


def no_connections(_name: str) -> None:
    """Outside of Airflow there are no connections."""


def send(channel: Notify, message: Message, find: FindConnection = no_connections) -> None:
    """Send a message to a channel, and return when its service has taken it.

    The address is the variable CRAWLHOUSE_NOTIFY_<NAME>, or the Airflow connection of that name. Raises ConfigError if there is neither,
    or if it cannot be read, and UnavailableError if the service did not take the message.
    """
    variable = PREFIX + channel.channel.upper()
    if addresses := os.environ.get(variable, "").split():
        _send_by_apprise(channel.channel, addresses, message)
        return
    connection = find(channel.channel)
    if connection is None:
        raise ConfigError(
            f"The channel {channel.channel!r} has no address: set {variable} to a URL of Apprise, {EXAMPLE}, or make an Airflow connection "
            f"{channel.channel!r} of type apprise, smtp, slackwebhook or http."
        )
    if connection.conn_type == "smtp":
        _send_by_smtp(channel, message)
    else:
        _send_by_apprise(channel.channel, _addresses(channel.channel, connection), message)


def _addresses(name: str, connection: AirflowConnection) -> list[str]:
    """The URLs of Apprise that a connection stands for."""
    if connection.conn_type == "apprise":
        return _apprise_addresses(name, connection.extra_dejson.get("config"))
    if connection.conn_type == "slackwebhook":
        base = connection.host if (connection.host or "").startswith("https://") else SLACK
        return [f"{(base or SLACK).rstrip('/')}/{(connection.password or '').lstrip('/')}"]
    if connection.conn_type == "http":
        from urllib.parse import quote, urlsplit

        host = connection.host or ""
        parts = urlsplit(host if "://" in host else f"{connection.schema or 'http'}://{host}")
        login = f"{quote(connection.login, safe='')}:{quote(connection.password or '', safe='')}@" if connection.login else ""
        port = f":{connection.port}" if connection.port else ""
        return [f"{'jsons' if parts.scheme == 'https' else 'json'}://{login}{parts.netloc}{port}{parts.path}"]
    raise ConfigError(
        f"The Airflow connection {name!r} is of type {connection.conn_type}; apprise, smtp, slackwebhook or http can be told."
    )


def _apprise_addresses(name: str, config: object) -> list[str]:
    """The URLs in the field `config` of a connection, in each form that Airflow's own hook reads."""
    found = json.loads(config) if isinstance(config, str) else config
    entries = [one["path"] for one in (found if isinstance(found, list) else [found]) if isinstance(one, dict) and "path" in one]
    if not entries:
        raise ConfigError(f'The Airflow connection {name!r} needs extra {{"config": {{"path": "URL of Apprise"}}}}.')
    return [str(one) for one in entries]


def _send_by_apprise(name: str, addresses: list[str], message: Message) -> None:
    import apprise

    logging.getLogger("apprise").setLevel(logging.WARNING)
    sender = apprise.Apprise()
    if not all(sender.add(address) for address in addresses):  # an address may hold a password, so it is not shown
        raise ConfigError(f"The address of the channel {name!r} is no URL that Apprise knows, {EXAMPLE}.")
    kind = apprise.NotifyType.SUCCESS if message.is_good else apprise.NotifyType.WARNING
    if not sender.notify(title=message.title, body=message.body, notify_type=kind):
        raise UnavailableError(f"The channel {name!r} did not take the message. Check its address, and that its service can be reached.")


def _send_by_smtp(channel: Notify, message: Message) -> None:
    if not channel.to:
        raise ConfigError(f"The channel {channel.channel!r} is a connection of type smtp: say `to:` whom it writes to.")
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier

    text = f"<pre>{html.escape(message.body)}</pre>"
    notifier = SmtpNotifier(to=list(channel.to), subject=message.title, html_content=text, smtp_conn_id=channel.channel)
    try:
        notifier.notify({})
    except Exception as error:  # whatever the server, the network or the connection makes of it
        raise UnavailableError(f"The channel {channel.channel!r} did not take the message: {type(error).__name__}: {error}.") from error
