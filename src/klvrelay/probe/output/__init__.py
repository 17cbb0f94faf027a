"""The report for people and programs; next door, `rules/` judges what it says.

    verdict.py    the first lines, the exit code   words.py     the report in rows
    text.py       for a terminal or a pipe         document.py  JSON
    page.py       HTML; style.py its looks, plots.py and svg.py its pictures
"""
