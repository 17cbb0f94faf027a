"""srt://: a line that has what was lost sent again."""
