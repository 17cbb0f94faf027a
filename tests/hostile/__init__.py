"""Hostile peers and inputs, and klvrelay's responses; `docs/security.md` lists them."""
