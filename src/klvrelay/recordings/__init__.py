"""What a recording is: how to recognise it, how its segments are named, and how it is timed."""
