"""Makes STANAG 4609 transport streams of a video and its telemetry: `klvrelay import`.

    request.py        what to import            prepared.py      what was read
    recording.py      writes the result
    text_lines.py     text in any encoding      telemetry.py     rows of values at times
    dji_srt.py        DJI subtitles             dji_text.py      the text of a cue
    csv_table.py      tables                    csv_cells.py     their cells
    mapping.py        columns to items          item_names.py    names of items
    units.py          units of measurement      times.py         dates and epochs
    timeline.py       values at a time          clock.py         the time of the first frame
    derive.py         items from measures       field_of_view.py by the focal length
    level_ground.py   what the camera sees      packets.py       encodes the items
    video.py          reads frames as they are
"""
