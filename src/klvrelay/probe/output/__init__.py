"""Writes the report.

    verdict.py    summary and exit code      text_rows.py    the rows shared by text and HTML
    text.py       terminal or pipe           document.py     JSON
    page.py       HTML (style.py: CSS, plots.py and svg.py: charts)
    list_limits.py  limits the length of lists
    for builds: junit.py, sarif.py, github.py (workflow commands)
"""
