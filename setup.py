"""Adds the C core to the package; all other settings are in `pyproject.toml`, which has no key for cffi."""

from setuptools import setup

setup(cffi_modules=["native/build.py:ffibuilder"])
