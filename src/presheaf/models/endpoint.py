"""Sends JSON to one address: the key, the pace, the retries. Standard library only."""

from __future__ import annotations

import email.utils
import http.client
import ipaddress
import json
import math
import os
import random
import socket
import time
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from presheaf.errors import InputError, ModelError

_LONGEST_WAIT = 600.0
_RETRIED = (408, 429, 500, 501, 502, 503, 504)


class Refused(ModelError):
    """The server answered with an error that asking again won't mend."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class _Failed(Exception):
    """An attempt that may be repeated, and how long the server asks to wait (None: it doesn't say)."""

    def __init__(self, why: str, wait: float | None = None) -> None:
        super().__init__(why)
        self.wait = wait


class Pace:
    """Spaces requests evenly, so that no minute sees more than ``per_minute`` of them."""

    def __init__(self, per_minute: float | None) -> None:
        if per_minute is not None and not 0 < per_minute < math.inf:
            raise InputError(f"'requests_per_minute' must be a positive number; got {per_minute}.")
        self._gap = 0.0 if per_minute is None else 60.0 / per_minute
        self._free = -math.inf

    def book(self, now: float) -> float:
        """Seconds to wait from ``now`` until the next request may go out; that moment is then taken."""
        start = max(now, self._free)
        self._free = start + self._gap
        return start - now


def backoff(attempt: int, asked: float | None, chance: random.Random) -> float:
    """Seconds to wait after failed attempt 0, 1, ...: what the server asked for, else 0.5 x 2^attempt, at most 60.

    Half of the computed wait is random, so that many clients don't return at the same moment.
    """
    if asked is not None:
        return asked
    return min(60.0, 0.5 * 2.0**attempt) * (0.5 + 0.5 * chance.random())


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds that a Retry-After header asks for (a number, or a date compared with the Unix time ``now``)."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - now
        except ValueError:
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """Refuse: following would send the key and the texts to an address nobody agreed to."""


class Endpoint:
    """An address that takes JSON by POST and answers in JSON.

    Parameters
    ----------
    base_url : str
        http or https; plain http with a key only to this machine.
    path : str
        Appended to ``base_url`` unless it ends so already.
    key_env : str or None
        Environment variable of the key. May be unset where the host is this machine. None: no key is sent.
    timeout : float
        Seconds without a byte before an attempt counts as failed.
    retries : int
    requests_per_minute : float or None

    Raises
    ------
    InputError
        For an address or an option that can't be used.
    """

    def __init__(
        self,
        base_url: str,
        path: str,
        *,
        key_env: str | None,
        timeout: float,
        retries: int,
        requests_per_minute: float | None,
    ) -> None:
        self.base_url = base_url.strip().rstrip("/").removesuffix(f"/{path}")
        self.url = f"{self.base_url}/{path}"
        try:
            parts = urlsplit(self.base_url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise InputError(f"The address {base_url!r} can't be read ({error}).") from None
        if parts.username or parts.password:
            raise InputError("The address must not hold a user name or password; put the key into the environment.")
        if parts.scheme not in ("http", "https") or not host or port == 0 or parts.query or parts.fragment:
            raise InputError(f"Expected an address such as https://host/v1; got {base_url!r}.")
        if not self.url.isascii() or any(c.isspace() for c in self.url):
            raise InputError(f"The address {base_url!r} holds spaces or letters outside ASCII; percent-encode them.")
        if not 0 < timeout < math.inf:
            raise InputError(f"'timeout' must be a positive number of seconds; got {timeout}.")
        if isinstance(retries, bool) or not isinstance(retries, int) or retries < 0:
            raise InputError(f"'retries' must be a whole number of at least 0; got {retries!r}.")
        self._local = _is_local(host)
        if parts.scheme == "http" and not self._local and key_env is not None:
            raise InputError(
                f"{self.base_url} is plain http: the key would travel unencrypted. "
                "Use https, or key_env=None for a server that needs no key."
            )
        self._key_env = key_env
        self._timeout = timeout
        self._retries = retries
        self._pace = Pace(requests_per_minute)
        self._chance = random.Random(0)
        # A proxy can't reach this machine's own addresses; elsewhere the usual environment variables count.
        proxies = [urllib.request.ProxyHandler({})] if self._local else []
        self._opener = urllib.request.build_opener(_NoRedirect, *proxies)

    def post(self, body: dict[str, Any]) -> Any:
        """Send ``body`` and return the parsed answer; tries again where that can help.

        Raises
        ------
        InputError
            If the key is needed and missing, or holds characters no header can carry.
        Refused
            If the server says no for good (its own words are in the message, cut to one line).
        ModelError
            If it can't be reached, or still fails after the last retry.
        """
        key = self._key()
        data = json.dumps(body).encode()
        for attempt in range(self._retries + 1):
            time.sleep(self._pace.book(time.monotonic()))
            try:
                return self._attempt(data, key)
            except _Failed as failure:
                why = str(failure)
                if failure.wait is not None and failure.wait > _LONGEST_WAIT:
                    why += f" It asks to wait {failure.wait:.0f} s: try again then."
                    raise ModelError(f"{self.url}: {why}") from None
                if attempt < self._retries:
                    time.sleep(backoff(attempt, failure.wait, self._chance))
        tries = "once" if self._retries == 0 else f"{self._retries + 1} times"
        raise ModelError(f"{self.url} failed {tries}; the last time: {why}")

    def _key(self) -> str:
        key = os.environ.get(self._key_env, "").strip() if self._key_env else ""
        if self._key_env and not key and not self._local:
            raise InputError(
                f"{self.base_url} needs a key. Set it with: export {self._key_env}=... "
                "(or pass key_env=None if it needs none)."
            )
        if not key.isascii() or not key.isprintable():
            raise InputError(f"The key in {self._key_env} holds characters that no key has; copy it again.")
        return key

    def _attempt(self, data: bytes, key: str) -> Any:
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "presheaf"}
        request = urllib.request.Request(self.url, data=data, headers=headers, method="POST")
        if key:
            request.add_unredirected_header("Authorization", f"Bearer {key}")
        try:
            with self._opener.open(request, timeout=self._timeout) as response:
                text = response.read()
            if text.lstrip().startswith(b"<"):
                raise Refused(f"{self.url} answered with a web page. Check the address; it often ends in /v1.", 200)
            return json.loads(text)
        except urllib.error.HTTPError as error:
            raise self._refusal(error, key) from None
        except urllib.error.URLError as error:
            raise self._unreachable(error.reason) from None
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from None
        except (ValueError, RecursionError):
            raise _Failed("its answer was no complete JSON.") from None

    def _refusal(self, error: urllib.error.HTTPError, key: str) -> Exception:
        with error:
            said = _said(error, key)
        if 300 <= error.code < 400:
            target = urlsplit(error.headers.get("Location", ""))
            where = f"{target.scheme}://{target.netloc}{target.path}" if target.netloc else target.path or "nowhere"
            return Refused(
                f"{self.url} redirects to {where}, which is not followed so that no key or text goes there. "
                "If that is the right address, use it.",
                error.code,
            )
        if error.code in _RETRIED and "insufficient_quota" not in said:
            return _Failed(
                f"it answered {error.code} ({said}).", retry_after(error.headers.get("Retry-After"), time.time())
            )
        hint = {
            401: f" Check the key in {self._key_env}." if self._key_env else " It wants a key: give key_env.",
            403: " The key may not use this model or address.",
            404: " Check the address and the name of the model.",
        }.get(error.code, "")
        return Refused(f"{self.url} answered {error.code}: {said}.{hint}", error.code)

    def _unreachable(self, reason: object) -> Exception:
        if isinstance(reason, TimeoutError):
            return _Failed(f"no answer within {self._timeout:g} s.")
        if isinstance(reason, ConnectionError | http.client.HTTPException):
            return _Failed(f"the connection broke ({type(reason).__name__}).")
        if isinstance(reason, socket.gaierror) and reason.errno == socket.EAI_AGAIN:
            return _Failed("its name could not be looked up just now.")
        return ModelError(f"{self.url} can't be reached: {reason}.")


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _said(error: urllib.error.HTTPError, key: str) -> str:
    """The server's message on one line of at most 300 characters, with its error code, without the key."""
    try:
        text = error.read(65536).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        text = ""
    try:
        detail = json.loads(text)["error"]
        if isinstance(detail, dict):
            code = detail.get("code") or detail.get("type")
            text = f"{detail.get('message', '')}{f' [{code}]' if code else ''}"
        else:
            text = str(detail)
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    if key:
        text = text.replace(key, "[key]")
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split()).rstrip(".")
    return (text[:297] + "..." if len(text) > 300 else text) or (error.reason if isinstance(error.reason, str) else "")
