"""The JSON API of the relay, below /api/v1.

    endpoint     one path with its parameters and the schema of its answer
    parameters   reads and checks the parameters of a query
    times        times in them
    of_health    relay, streams, sinks and spool
    of_incidents the ledger of incidents
    of_alerts    alerts and their rules
    openapi      the description of all endpoints (OpenAPI 3.1)
"""
