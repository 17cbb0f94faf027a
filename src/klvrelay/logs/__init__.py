"""What becomes of a log message: its parts, its format, and where it is written.

    log_event   a message as its parts: text, level, key=value members, stream or sink
    formats     text and JSON lines
    journal     entries for journald, in its native protocol
    log_file    a file that is rotated by size
    queued      writes to the file in a thread, with a bounded queue
    floods      limits repeated messages
    outputs     standard error, the file, the journal
    handler     the handler of `logging` that joins them
"""
