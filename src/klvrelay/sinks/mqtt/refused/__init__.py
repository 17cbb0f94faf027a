"""Publishes messages, except to topics that the broker refuses or at which it closes the connection.

    publisher.py  publishes messages, except to suspended topics
    suspended.py  topics that the broker refuses
    breaking.py   finds the message at which a broker closes each connection
    control.py    tests a suspected message by connections without it; lanes.py: the others do not wait for it
"""
