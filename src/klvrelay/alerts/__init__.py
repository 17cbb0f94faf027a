"""Alerts: rules over the health of the relay, raised once and cleared once.

    alerting = Alerting(board, settings, publish)    # all of it, run beside the relay: `relay.alerting`
    alerting.alerts.raised()                                # list[Alert], each with `document()`
    alerting.alerts.rules("stream", "uav1")                 # list[AlertRule] of a stream; without arguments, all
    alerting.alerts.totals                                  # raised since the start, by rule and severity
    alerting.notifier.counts()                              # SendCounts by destination

    alert            one alert and its document           rule            a rule: what it measures, and its values
    engine           `Alerts`: evaluates, raises, clears  tracking        the state of one rule for one subject
    rules            the rules of a stream, sink, relay   meanings        what each rule measures, and its words
    subjects         a subject with its rules             stream_watch    a stream, with the checks of its metadata
    stream_sample    what is measured of a stream         link_sample     of its transport
    clock_sample     of its clock                         sink_sample     of a sink
    relay_sample     of the relay                         disks           free space
    area_changes     another area of a geofence
    metadata_checks  implausible metadata                 fence_checks    geofences
    window           counts of the last seconds           log_lines       the log line of an alert
    topics           documents on topics                  running         puts all together
    alert_file       what is raised, kept over restarts   downtime        without a relay, before its start
    destinations/    webhooks, Apprise, commands
"""
