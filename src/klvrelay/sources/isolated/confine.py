"""Restrict the process of a source before it reads untrusted input, so that an attacker who takes it over can do no
more.

    files     read the interpreter, shared libraries, settings of the resolver and of TLS, and the source itself; for a
              followed file also its folder, in which it may be replaced. No writing
    sockets   streams and datagrams of the address families in use; TCP listening only for sources that listen
    others    no other programs, no signals to other processes, no access to their memory
    root      only the rights to read files, and those needed for its kind of socket

`landlock.py` and `seccomp.py` let the kernel enforce this if it can; without them the process runs unrestricted.
"""

from __future__ import annotations

import logging
import os
import socket
import ssl
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from klvrelay.config.url import Url
from klvrelay.sources.isolated.landlock import restrict
from klvrelay.sources.isolated.prctl import (
    DAC_READ_SEARCH,
    NET_ADMIN,
    NET_BIND_SERVICE,
    NET_RAW,
    forbid_new_privileges,
    hide_memory,
    keep_capabilities,
)
from klvrelay.sources.isolated.seccomp import NETWORK, refuse_calls

LOG = logging.getLogger("klvrelay.sources")

_LIBRARIES = (
    "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64", "/nix/store", "/gnu/store",
)  # fmt: skip
_SHARED = ("zoneinfo", "locale", "i18n", "ca-certificates", "ca-certs", "pki", "ssl", "crypto-policies")
_ETC = (
    "ca-certificates", "crypto-policies", "gai.conf", "host.conf", "hostname", "hosts", "ld.so.cache", "ld.so.conf",
    "ld.so.conf.d", "localtime", "mdns.allow", "nsswitch.conf", "protocols", "resolv.conf", "services", "timezone",
    "gnutls", "pki/ca-trust", "pki/tls/cert.pem", "pki/tls/certs", "pki/tls/openssl.cnf", "ssl/ca-bundle.pem",
    "ssl/cert.pem", "ssl/certs", "ssl/openssl.cnf",
)  # fmt: skip
"""Nothing else in /etc: it contains keys and passwords."""
_KERNEL = (
    "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu", "/dev/null", "/dev/zero", "/dev/random",
    "/dev/urandom", "/run/systemd/resolve", "/usr/local/share/ca-certificates", "/var/lib/ca-certificates",
)  # fmt: skip
_CAPABILITIES = {
    "udp": (NET_BIND_SERVICE, NET_ADMIN, NET_RAW), "rtp": (NET_BIND_SERVICE, NET_ADMIN, NET_RAW),
    "tcp": (NET_BIND_SERVICE,), "srt": (NET_BIND_SERVICE,),
}  # fmt: skip


def confine(url: Url, options: Mapping[str, Any]) -> None:
    """Drop all access that the source at `url` does not need. Call before a second thread starts."""
    hide_memory()
    forbid_new_privileges()
    keep_capabilities((DAC_READ_SEARCH, *_CAPABILITIES.get(url.scheme, ())))
    ports = _ports(url)
    missing = restrict(_readable(url, options), ports), refuse_calls(_families(url), listens=bool(ports))
    for why in filter(None, missing):
        LOG.info("isolated process is not fully confined: reason=%r", why)


def _readable(url: Url, options: Mapping[str, Any]) -> Iterator[str]:
    yield from _KERNEL
    yield from _LIBRARIES
    yield from (f"/etc/{name}" for name in _ETC)
    yield from (f"/usr/share/{name}" for name in _SHARED)
    yield from _of_tls(options)
    yield from _of_python()
    if url.scheme == "file":
        yield url.path
        if options["follow"] and (folder := _nearest(os.path.dirname(url.path))) != "/":
            yield folder


def _of_python() -> Iterator[str]:
    """Folders of Python modules; if klvrelay runs from a source folder, only klvrelay in it."""
    yield str(Path(__file__).parents[2])
    yield from (sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    yield from (os.path.join(prefix, "lib") for prefix in {sys.base_prefix, sys.prefix} if prefix != "/")
    here = os.path.realpath(".")
    for entry in map(os.path.realpath, filter(None, sys.path)):
        if os.path.commonpath((entry, here)) != entry and entry != str(Path(__file__).parents[3]):
            yield entry
    yield from os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)


def _of_tls(options: Mapping[str, Any]) -> Iterator[str]:
    """Trusted certificates, as configured or as built into OpenSSL."""
    paths = ssl.get_default_verify_paths()
    named = (paths.cafile, paths.capath, paths.openssl_cafile, paths.openssl_capath, options["ca_file"])
    yield from filter(None, named)
    yield from (os.environ[name] for name in ("OPENSSL_CONF", "GNUTLS_SYSTEM_PRIORITY_FILE") if name in os.environ)


def _nearest(folder: str) -> str:
    """The folder, or its nearest existing parent."""
    folder = os.path.abspath(folder)
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return folder


def _ports(url: Url) -> tuple[int, ...]:
    """TCP ports that it may listen on: the port of a listener; for the RTSP gateway, a port chosen by the kernel."""
    match url.scheme:
        case "tcp" if url.options.get("listen") == "1":
            return (url.port or 0,)
        case "rtsp" | "rtsps":
            return (0,)
        case _:
            return ()


def _families(url: Url) -> tuple[int, ...]:
    if url.scheme in ("file", "stdin"):
        return ()
    # Names of a local network (mDNS) are resolved by a service over a Unix socket.
    return (*NETWORK, socket.AF_UNIX) if url.host.endswith(".local") else NETWORK
