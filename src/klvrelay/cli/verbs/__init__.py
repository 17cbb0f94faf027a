"""The work of each verb, loaded when the verb runs.

    frame_times.py        `decode --frame-times`
    export_settings.py    what `export` is to do; export_flight.py: one flight; export_files.py: its files
    export_pictures.py    the video in these files
    export_jobs.py        several flights in processes; export_child.py: such a process
    import_telemetry.py   `import`
    stream_table.py       the rows of `watch`; stream_records.py: the records in them
    printout.py           tables of `items` and `retained`
    incident_tables.py    tables of `incidents`; incident_api.py: those of a running relay
    relay_http.py         requests to the HTTP server of a relay
    spool_text.py         the listing of `spool`
    progress.py           progress bar
    rates.py              bit rates; ages.py: ages
"""
