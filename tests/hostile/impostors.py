"""The certificates that a man in the middle can present; none is the server's."""

from __future__ import annotations

import ssl
import warnings
from pathlib import Path
from typing import NamedTuple

from certificates import CURVE, certified, openssl

IMPOSTORS = ("self-signed", "another authority", "another host", "expired", "not yet valid", "TLS 1.1")


class Papers(NamedTuple):
    """ca file with the authority that the client trusts
    server TLS settings of the real server
    impostors TLS settings of each impostor
    """

    ca: str
    server: ssl.SSLContext
    impostors: dict[str, ssl.SSLContext]


def papers(folder: Path) -> Papers:
    """The certificates, made in a folder; takes half a second."""
    ca, server = certified(folder)
    for name in ("other", "host", "past", "future"):
        (folder / name).mkdir()
    made = {
        "self-signed": _self_signed(folder),
        "another authority": certified(folder / "other")[1],
        "another host": _signed(folder, folder / "host", "127.0.0.2", "-days", "2"),
        "expired": _dated(folder, folder / "past", "20200101000000Z", "20200201000000Z"),
        "not yet valid": _dated(folder, folder / "future", "20980101000000Z", "20980201000000Z"),
        "TLS 1.1": server,
    }
    impostors = {name: _serving(file) for name, file in made.items()}
    old = impostors["TLS 1.1"]
    old.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    return Papers(ca, _serving(server), impostors)


def _serving(certificate: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def _with_key(folder: Path, certificate: Path) -> str:
    both = certificate.with_suffix(".both")
    both.write_text((folder / "server.key").read_text() + certificate.read_text())
    return str(both)


def _self_signed(folder: Path) -> str:
    certificate = folder / "alone.crt"
    openssl("req", "-x509", *CURVE, "-keyout", folder / "alone.key", "-out", certificate, "-subj", "/CN=127.0.0.1",
            "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2")  # fmt: skip
    both = folder / "alone.both"
    both.write_text((folder / "alone.key").read_text() + certificate.read_text())
    return str(both)


def _signed(authority: Path, folder: Path, name: str, *dates: str) -> str:
    names, certificate = folder / "names.txt", folder / "server.crt"
    names.write_text(f"subjectAltName=IP:{name}\nauthorityKeyIdentifier=keyid\n")
    openssl("x509", "-req", "-in", authority / "server.csr", "-CA", authority / "ca.pem", "-CAkey",
            authority / "ca.key", "-CAcreateserial", "-extfile", names, *dates, "-out", certificate)  # fmt: skip
    return _with_key(authority, certificate)


def _dated(authority: Path, folder: Path, begin: str, end: str) -> str:
    """By `openssl ca`, the only command that accepts dates in every version."""
    (folder / "index.txt").write_text("")
    (folder / "ca.cnf").write_text(
        f"[ca]\ndefault_ca=x\n[x]\ndatabase={folder}/index.txt\nnew_certs_dir={folder}\n"
        f"certificate={authority}/ca.pem\nprivate_key={authority}/ca.key\ndefault_md=sha256\npolicy=p\n"
        f"rand_serial=yes\n[p]\ncommonName=supplied\n"
    )
    certificate = folder / "server.crt"
    openssl("ca", "-batch", "-config", folder / "ca.cnf", "-in", authority / "server.csr", "-out", certificate,
            "-startdate", begin, "-enddate", end, "-extfile", authority / "names.txt", "-notext")  # fmt: skip
    return _with_key(authority, certificate)
