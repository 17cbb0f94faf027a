"""The work of each verb, loaded when the verb runs.

    frame_times.py        `decode --frame-times`
    import_telemetry.py   `import`
    csv_rows.py           records as CSV; csv_cells.py: cells that are safe in a spreadsheet
    stream_table.py       the rows of `watch`; stream_records.py: the records in them
    printout.py           tables of `items` and `retained`
    spool_text.py         the listing of `spool`
    progress.py           progress bar
    rates.py              bit rates; ages.py: ages
"""
