"""Benchmarks of klvrelay and comparable libraries on the same data in the same run: `python -m benchmarks [NAME...]`.

klvrelay itself does not import this package. `__main__.py` lists the benchmarks; the other files are shared by them.
"""
