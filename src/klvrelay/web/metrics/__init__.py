"""The figures of the relay in the text format of Prometheus.

    family        one metric: name, type, help, labels
    exposition    writes the text format
    of_streams, of_sinks, of_relay   the metrics of streams, of sinks, and of the relay with its spool
    of_incidents, of_alerts  those of the ledger of incidents, and of the alerts
    collect       all of them
"""
