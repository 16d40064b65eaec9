"""A Slack stand-in: it checks what Slack checks, fails on demand, and shows what it holds."""

from sandbox.slack.conditions import Conditions
from sandbox.slack.errors import SlackDidNotStart
from sandbox.slack.in_process import SlackSandbox
from sandbox.slack.posts import Attempt, Post

__all__ = ["Attempt", "Conditions", "Post", "SlackDidNotStart", "SlackSandbox"]
