"""Files, folders of segments and standard input.

file.py           as fast as the reader takes the data
blocking_file.py  a regular file, without event loop and threads
growing.py        follows a file or a folder that is still being written
written.py        detects new, replaced and rewritten data in a file
replay.py         replays a recording at its own pace
faults.py         error messages
"""
