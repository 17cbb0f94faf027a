"""What the command does, one file a verb; next door, `cli.py` reads the options and calls them.

    run.py      run, replay: a relay out of its settings
    decode.py   a file's records to standard output; rows.py: as a CSV; frame_times.py: the times of its video frames
    probe.py    what a stream is like, and what is wrong with it
    items.py    what is known of an item; sheet.py: how that looks
    watch.py    a broker's streams as a live table
    sample.py   a synthetic recording
    send.py     a recording to a far end, in its own time
    demo.py     all of it in one process
"""
