"""A certificate authority and a server certificate that it signed, made with openssl."""

from __future__ import annotations

import subprocess
from pathlib import Path

CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")

RIGHTS = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
"""Extensions of an authority that Python 3.13 requires."""


def openssl(*words: object) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, timeout=20)


def certified(folder: Path, name: str = "127.0.0.1") -> tuple[str, str]:
    """(the authority's certificate, a file with the key and certificate of a server at the address `name`)."""
    ca, key, request, server = (folder / file for file in ("ca.pem", "ca.key", "server.csr", "server.pem"))
    openssl("req", "-x509", *CURVE, "-keyout", key, "-out", ca, "-subj", "/CN=test authority", "-days", "2", *RIGHTS)
    openssl("req", *CURVE, "-keyout", folder / "server.key", "-out", request, "-subj", f"/CN={name}")
    names = folder / "names.txt"
    names.write_text(f"subjectAltName=IP:{name}\nauthorityKeyIdentifier=keyid\n")
    signed = ("-CA", ca, "-CAkey", key, "-CAcreateserial", "-extfile", names, "-days", "2")
    openssl("x509", "-req", "-in", request, *signed, "-out", folder / "server.crt")
    server.write_text((folder / "server.key").read_text() + (folder / "server.crt").read_text())
    return str(ca), str(server)


def client_certificate(folder: Path, name: str = "relay") -> tuple[str, str]:
    """(a client certificate of the authority of `certified`, its key)."""
    cert, key, request, extra = (folder / f"{name}{end}" for end in (".pem", ".key", ".csr", ".txt"))
    openssl("req", *CURVE, "-keyout", key, "-out", request, "-subj", f"/CN={name}")
    extra.write_text("extendedKeyUsage=clientAuth\nauthorityKeyIdentifier=keyid\n")
    signed = ("-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-CAcreateserial", "-extfile", extra, "-days", "2")
    openssl("x509", "-req", "-in", request, *signed, "-out", cert)
    return str(cert), str(key)
