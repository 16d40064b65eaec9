"""Why Slack was not asked at all, by code, and what to do: these are no codes of Slack's."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_WAY = "Check POSTONCE_SLACK_URL, and that this machine may connect there: DNS, firewall, proxy"
_PROXY = "Check the proxy that HTTPS_PROXY or HTTP_PROXY names, or take it out"
_CERTIFICATE = (
    "Check POSTONCE_SLACK_URL, a proxy that ends TLS, and the certificates that this machine trusts"
)
_STORE = "Check the installation store that POSTONCE_INSTALLATIONS names"

UNASKED_REASONS: Mapping[str, str] = MappingProxyType(
    {
        "dns_failed": _WAY,
        "connect_failed": _WAY,
        "connect_timeout": _WAY,
        "certificate_refused": _CERTIFICATE,
        "tls_failed": _CERTIFICATE,
        "address_invalid": (
            "Check POSTONCE_SLACK_URL, and the proxy that HTTPS_PROXY or HTTP_PROXY names, which "
            "begins with http://"
        ),
        "connection_stale": (
            "What stands at POSTONCE_SLACK_URL, or the proxy before it, speaks before it is asked, "
            "as Slack does not"
        ),
        "proxy_unreachable": _PROXY,
        "proxy_refused": _PROXY,
        "installation_missing": (
            "Set SLACK_BOT_TOKEN, or install the app in this team where POSTONCE_INSTALLATIONS says"
        ),
        "installation_unreadable": (
            f"{_STORE}; with env: check SLACK_BOT_TOKEN, which is no token as it stands"
        ),
        "installation_slow": f"{_STORE}: it is locked, far away or overloaded",
    }
)
