"""What each error code of Slack's means; one that is not listed for the call proves nothing.

The lists are Slack's documented ones (as of August 2026), the sorting is ours: a code stands under
`unknown` unless its description says that nothing was posted.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOG = logging.getLogger(__name__)

# What Slack's own codes look like; anything else in the field is not repeated anywhere.
_CODE = re.compile(r"[a-z0-9_]{1,64}")

UNREADABLE_CODE = "unreadable_code"


class Scope(StrEnum):
    """How far a refusal reaches: to this message, its channel, or all of the workspace."""

    MESSAGE = "message"
    CHANNEL = "channel"
    WORKSPACE = "workspace"
    NOT_NOW = "not_now"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SlackCode:
    """`sentence` tells a person what happened and what to do about it."""

    code: str
    scope: Scope
    sentence: str


def classify(code: str) -> SlackCode:
    """What chat.postMessage means by it; one that is not listed is `unknown` and logged, for us to
    list.
    """
    return _classify(code, CODES)


def classify_reading(code: str) -> SlackCode:
    """The same of auth.test, conversations.history and conversations.replies."""
    return _classify(code, READING_CODES)


def _classify(code: str, listed: Mapping[str, SlackCode]) -> SlackCode:
    known = listed.get(code)
    if known is not None:
        return known
    readable = code if _CODE.fullmatch(code) else UNREADABLE_CODE
    _LOG.warning("slack.code_unlisted code=%s: its fate counts as unknown", readable)
    return SlackCode(readable, Scope.UNKNOWN, "Slack gave a code that its documentation lacks.")


_BUG = "The request was malformed, which is a fault in this program: report it, with the code."
_DRAFT = "Slack took the message for a draft, which it is not: report it, with the code."
_NO_PROOF = "Slack failed in between and the message may have been posted."

_MESSAGE = {
    "no_text": "The message is empty: give the template a text.",
    "msg_too_long": "The text is too long: shorten the template or its variables.",
    "msg_blocks_too_long": "The blocks are too long: shorten the template or its variables.",
    "invalid_blocks": "Slack does not accept the blocks: check the template in Block Kit Builder.",
    "invalid_blocks_format": "The blocks are not a list of objects: correct the template.",
    "markdown_text_conflict": "Markdown text excludes text and blocks: correct the template.",
    "too_many_attachments": "There are too many attachments: use fewer in the template.",
    "attachment_payload_limit_exceeded": "The attachments are too large: shorten the template.",
    "too_many_contact_cards": "There are too many contact cards: use fewer in the template.",
    "missing_file_data": "A file that the message names has no data: correct the template.",
    "invalid_metadata_format": _BUG,
    "invalid_metadata_schema": _BUG,
    "metadata_too_large": _BUG,
    "cannot_reply_to_message": "The parent cannot be replied to: post outside the thread.",
    "restricted_action_thread_locked": "The thread is locked: unlock it or post outside it.",
    "restricted_action_non_threadable_channel": "The channel has no threads: post outside one.",
    "send_on_behalf_not_allowed": "The app may not post for another user: correct the template.",
    "slack_connect_canvas_sharing_blocked": (
        "Canvases may not be shared with this Slack Connect channel: remove the link."
    ),
    "slack_connect_file_link_sharing_blocked": (
        "File links may not be shared with this Slack Connect channel: remove the link."
    ),
    "slack_connect_lists_sharing_blocked": (
        "Lists may not be shared with this Slack Connect channel: remove the link."
    ),
    "as_user_not_supported": _BUG,
    "draft_already_deleted": _DRAFT,
    "draft_already_sent": _DRAFT,
    "draft_has_conflict": _DRAFT,
    "draft_not_found": _DRAFT,
    "invalid_arguments": _BUG,
    "invalid_arg_name": _BUG,
    "invalid_array_arg": _BUG,
    "invalid_charset": _BUG,
    "invalid_form_data": _BUG,
    "invalid_post_type": _BUG,
    "missing_post_type": _BUG,
}

_CHANNEL = {
    "channel_not_found": (
        "There is no such channel, or it is private: correct its id, or invite the bot to it."
    ),
    "not_in_channel": "The bot is not in the channel: invite the bot to the channel.",
    "is_archived": "The channel is archived: unarchive it or configure another one.",
    "no_permission": "The bot may not post there: invite the bot to the channel.",
    "access_denied": "The bot has no access to the channel: invite it, or ask an admin.",
    "ekm_access_denied": "An admin has suspended posting there (key management): ask an admin.",
    "messages_tab_disabled": "The app's messages tab is off: turn it on in the app's home tab.",
    "restricted_action": "A workspace preference forbids posting there: ask an admin.",
    "restricted_action_read_only_channel": (
        "The channel is read-only: let the bot post there or configure another one."
    ),
    "restricted_action_thread_only_channel": (
        "The channel takes replies only: reply in a thread or configure another one."
    ),
    "team_not_found": (
        "A token of a whole organisation needs a channel id, not a name: correct the channel."
    ),
}

_WORKSPACE = {
    "not_authed": "No token was sent: check the installation of this workspace.",
    "invalid_auth": (
        "Slack does not accept the token or this IP address: reinstall the app, or allow the "
        "address in the app's settings."
    ),
    "token_expired": "The token has expired: refresh it or reinstall the app.",
    "token_revoked": "The token was revoked: reinstall the app in this workspace.",
    "account_inactive": "The bot or the workspace was deactivated: reinstall the app there.",
    "missing_scope": (
        "The token lacks a scope (`needed` names it): add it to the app, then reinstall the app."
    ),
    "not_allowed_token_type": "This kind of token may not post: install with a bot token.",
    "team_access_not_granted": "The app has no access to this workspace: ask an org admin.",
    "app_access_restricted": "An admin restricts the app: ask for it to be approved.",
    "two_factor_setup_required": "Two-factor authentication is due: set it up for the account.",
    "is_bot": "A bot may not do this: check which token the installation holds.",
    "accesslimited": "An admin has limited the app's access: ask for it to be approved.",
    "enterprise_is_restricted": "The organisation does not allow this: ask an org admin.",
    "metadata_must_be_sent_from_app": (
        "Message metadata needs an app's token: install with a bot token of an app."
    ),
    "deprecated_endpoint": "Slack has switched this method off: update this program.",
    "method_deprecated": "Slack has deprecated this method: update this program.",
    "unknown_method": "Slack does not know this method: check POSTONCE_SLACK_URL.",
    "org_login_required": "The workspace is moving to an organisation: it heals by itself.",
    "team_added_to_org": "The workspace is moving to an organisation: it heals by itself.",
    "message_limit_exceeded": "The workspace has reached its message limit: upgrade its plan.",
}

_NOT_NOW = {
    "ratelimited": "Too many requests: it is tried again later.",
    "rate_limited": "Too many requests: it is tried again later.",
}

_UNKNOWN = {
    "fatal_error": _NO_PROOF,
    "internal_error": _NO_PROOF,
    "service_unavailable": _NO_PROOF,
    "request_timeout": _NO_PROOF,
    # Documented for `client_msg_id` only, which is not sent, so their presence proves nothing.
    "duplicate_message_not_found": _NO_PROOF,
    "duplicate_channel_not_found": _NO_PROOF,
}

# What reading may answer besides. Posting documents none of these, so there they prove nothing.
_READING = {
    Scope.CHANNEL: {
        "thread_not_found": "There is no such thread any more: its parent was deleted.",
        "method_not_supported_for_channel_type": "This kind of conversation cannot be read.",
        "channel_is_limited_access": "The bot may not read this channel: ask an admin.",
    },
    Scope.MESSAGE: {
        "invalid_cursor": "The place to go on reading is no longer valid: it is read anew.",
        "invalid_limit": _BUG,
        "invalid_ts_oldest": _BUG,
        "invalid_ts_latest": _BUG,
        "invalid_metadata_filter_keys": _BUG,
    },
    Scope.UNKNOWN: {"list_record_comment_fetch_failed": "Slack failed to read all comments."},
}


def _listed(sentences: Mapping[Scope, Mapping[str, str]]) -> dict[str, SlackCode]:
    return {
        code: SlackCode(code, scope, sentence)
        for scope, by_code in sentences.items()
        for code, sentence in by_code.items()
    }


CODES: Mapping[str, SlackCode] = MappingProxyType(
    _listed(
        {
            Scope.MESSAGE: _MESSAGE,
            Scope.CHANNEL: _CHANNEL,
            Scope.WORKSPACE: _WORKSPACE,
            Scope.NOT_NOW: _NOT_NOW,
            Scope.UNKNOWN: _UNKNOWN,
        }
    )
)
READING_CODES: Mapping[str, SlackCode] = MappingProxyType({**CODES, **_listed(_READING)})
