"""Addresses of databases as they may be shown: without passwords."""

from __future__ import annotations

import re
from urllib.parse import unquote

_SECRET = re.compile(r"(?<=://)([^:/?#]*:)(.+)(?=@)|([?&](?:password|token|secret)=)([^&]+)", re.IGNORECASE)


def without_secrets(url: str) -> str:
    """A connection's URL with stars for the passwords and tokens in it."""
    return _SECRET.sub(lambda found: f"{found[1] or found[3]}***", url)


def hide_secrets(text: str, url: str) -> str:
    """A driver's message about ``url`` with stars for the URL's passwords and tokens, as written there and decoded."""
    for found in _SECRET.finditer(url):
        secret = found[2] or found[4]
        for form in (secret, unquote(secret)):
            text = text.replace(form, "***")
    return text
