"""The log on disk: segments of records, one cursor file per sink.

    log.py              the log, in the event loop; its thread commits and loads; opening.py: opens it
      tail.py             the records that are in memory only
      loading.py          loads records for the cursors
      earlier.py          what earlier runs left
    flows.py            what one sink has yet to deliver: live records, and the parts of a backlog
    cursor.py           one of these parts: a window of it is in memory
      unread.py           what is not in the window
      behind.py           the streams of which the next records are in the log only
      missing.py          gaps where records were lost on disk

    store.py            all files of a spool, in one thread
      segments.py         the segments; segment_files.py: their files
      sink_files.py       the files of the sinks
      cursor_file.py      the position of one sink; gap_file.py: its gaps; ranges.py: positions as ranges
      identity.py         version, id and owner, in spool.json
    format.py           the bytes of segments and records
    files.py            the calls of the file system

    survey.py           what a spool contains, for `klvrelay spool`
      reader.py           reads it while a relay writes; readonly.py: its folder
    backlog.py          whether it has something to deliver
"""
