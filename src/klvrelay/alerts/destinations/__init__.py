"""Where alerts are sent to.

    contract         a notification, and what a destination does with it
    webhook          an HTTP server, by POST
    apprise_service  a service of the Apprise library
    command          a program
    open             the destination of its settings
    outbox           what waits for one destination, and its retries
    notifier         which alerts go to which destinations, and when
"""
