"""The composition root: the one place where broker, ledger and middleware meet.

`dramatiq actors.app` is the worker, `from actors.app import send_message` a service's nudge.
Importing it reads the environment and does no other I/O.
"""

from __future__ import annotations

import dramatiq
import dramatiq.broker
from dramatiq.middleware import AsyncIO

from actors.patient_stop import PatientStop
from actors.plain_refusal import PlainRefusal, refusing_plainly
from actors.queue import make_broker
from actors.send_message import declare_send_message
from actors.settings import Settings
from actors.slack.gateway import SlackGateway
from actors.slack.installations import Installations
from actors.slack_connection import SlackConnection
from middleware.dispatch_once import DispatchOnce
from middleware.send_lock import SendLock
from projector.connection import get_ledger


def compose(settings: Settings) -> dramatiq.Broker:
    """The broker that the service has set already, or a new one, with what the actors need."""
    broker = dramatiq.broker.global_broker
    if broker is None:
        broker = make_broker(settings.queue_url, prefix=settings.prefix)
        dramatiq.set_broker(broker)
    if not any(isinstance(each, AsyncIO) for each in broker.middleware):
        broker.add_middleware(AsyncIO())
    broker.add_middleware(PatientStop())
    ledger = get_ledger()
    broker.add_middleware(PlainRefusal(ledger))
    broker.add_middleware(DispatchOnce(ledger))
    broker.add_middleware(SendLock(ledger))
    gateway = SlackGateway(
        base_url=settings.slack_url,
        installations=Installations(settings.installations),
        post_deadline_ms=ledger.timing.post_deadline_ms,
    )
    broker.add_middleware(SlackConnection(gateway))
    return broker


with refusing_plainly():
    broker = compose(Settings.from_environment())
    send_message = declare_send_message(broker)
