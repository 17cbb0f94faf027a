"""Hands the C core to setuptools; `pyproject.toml` holds all else (cffi's keyword has no place there)."""

from setuptools import setup

setup(cffi_modules=["native/build.py:ffibuilder"])
