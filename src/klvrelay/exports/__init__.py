"""Files of records: each format is one module with one writer.

    contract.py     `Writer`, `FileFormat`, `WriterOptions`    formats.py     `FORMATS`, `open_writer`
    positions.py    where the aircraft was, of one record      sightings.py   the same, with counts of what is left out
    rings.py        polygons and lines at 180 degrees          spill.py       text that the end of a file needs
    xml_text.py     text in XML                                zstd_file.py   compresses a file as it is written
    numbers_text.py degrees and metres as text                 times.py       times as text
    packets.py      jsonl, klv                                 csv_table.py   csv; csv_rows.py, csv_cells.py: its rows
    esri_csv.py     esri-csv                                   geojson.py     geojson; lines.py: its tracks
    kml.py          kml; kml_parts.py: its elements            gpx.py         gpx
    czml.py         czml; orientation.py: its quaternions      mcap_file.py   mcap; mcap_schemas.py: its messages
    mcap_scene.py   the flight in space; mcap_shapes.py: its parts        local_frame.py  metres east, north, up
    parquet.py      parquet, geoparquet; parquet_schema.py, parquet_rows.py: the columns
    geometry_columns.py   geometry of geoparquet; wkb.py: as bytes
    counted_file.py a file that need not be seekable           part_file.py  a file that has its name when complete
"""
