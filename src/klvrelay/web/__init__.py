"""The web server of the relay: metrics, health checks and the JSON API. It only observes.

    server          listens, and runs beside the relay
    guard           who may use it: token, host names, origins
    observed        what the handlers read
    orchestration   health checks: alive, ready, degraded
    routes          the paths
    problems        errors as JSON (RFC 9457)
    metrics/        the figures of the relay in the text format of Prometheus
    api/            the JSON API, and its description (OpenAPI)
"""
