"""Records as the outputs of a sink.

    outputs.py          publishes records as outputs
    output_messages.py  their messages; pending.py: messages before the answer
    compression.py      zstd, and the dictionaries that are published
    live_changes.py     changes of outputs by subscribers; change_requests.py: reads and applies them
"""
