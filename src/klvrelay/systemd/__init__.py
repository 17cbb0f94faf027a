"""Notifications to systemd: ready, status, reloading, stopping, and the watchdog (sd_notify(3)).

    notify_socket.py    the datagrams to the service manager
    service.py          which of them are due, of one relay
    status.py           the status line
    watchdog.py         whether the watchdog is fed
"""
