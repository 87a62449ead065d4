"""A running gateway as commands reach it: its API over HTTP, on this machine or with the token."""

from __future__ import annotations

import getpass
import http.client
import json
from typing import Any

from click.exceptions import ClickException

from gateway.settings import Settings
from gateway.web.access import WHO

TIMEOUT_S = 10.0
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what to connect to when it listens everywhere


class NotRunningError(Exception):
    """Nothing answers at the address of the settings."""


class AnswerError(ClickException):
    """The gateway refused: the command ends with its message."""


def ask(settings: Settings, method: str, path: str, body: object = None) -> Any:
    """Return what the running gateway answers. Raises NotRunningError, AnswerError."""
    host = _ANY.get(settings.http_host, settings.http_host)
    connection = http.client.HTTPConnection(host, settings.http_port, timeout=TIMEOUT_S)
    headers = {"Content-Type": "application/json", WHO: _user()}
    if settings.http_token is not None:
        headers["Authorization"] = f"Bearer {settings.http_token}"
    try:
        connection.request(method, path, None if body is None else json.dumps(body).encode(), headers)
        response = connection.getresponse()
        data = json.loads(response.read())
    except (OSError, http.client.HTTPException) as error:
        raise NotRunningError(f"no gateway answers at {host}:{settings.http_port}: {error}") from error
    except ValueError as error:
        raise AnswerError(f"{host}:{settings.http_port} is no gateway: its answer is no JSON") from error
    finally:
        connection.close()
    if response.status >= 300:
        raise AnswerError(data.get("error", str(response.status)) if isinstance(data, dict) else str(data))
    return data


def _user() -> str:
    """Return who is logged in, as far as a header can hold it."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = "command"
    return name.encode("ascii", "replace").decode()
