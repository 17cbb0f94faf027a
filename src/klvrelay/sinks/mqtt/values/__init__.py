"""Latest values and other retained messages.

    published_values.py  publishes latest values and `status`
    acknowledgements.py  reads requests to acknowledge incidents
    home_assistant.py    announces streams to Home Assistant
    earlier_runs.py      finds retained topics of earlier runs; retained.py: corrects them
"""
