"""Alerts: rules over the health of the relay, raised once and cleared once.

    alerts = Alerts(board, settings, publish=...)
    alerts.raised()          -> list[Alert], each with `document()`
    alerts.rules("stream", "uav1")   -> list[AlertRule] as they apply to a stream; without arguments, all

alert           one alert and its document           rule          a rule: what it measures, and its values
engine          `Alerts`: evaluates, raises, clears  tracking      the state of one rule for one subject
"""
