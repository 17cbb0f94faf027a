"""JSON Schemas of the payloads, and an AsyncAPI document of the topics, for subscribers and their tools.

Names, units and ranges of items come from the tables that make the decoder (`record.schema.json`), counters from the
types that count. Nothing here is imported by the relay.
"""

from klvrelay.schema.asyncapi import asyncapi
from klvrelay.schema.payloads import PAYLOADS, payload_schema

__all__ = ["PAYLOADS", "asyncapi", "payload_schema"]
