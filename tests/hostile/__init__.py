"""Hostile peers and inputs, and what klvrelay answers; `docs/security.md` lists them."""
