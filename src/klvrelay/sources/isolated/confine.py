"""What the process of a source may do once it reads untrusted input; who takes it over can do no more.

    files     reading the interpreter, shared libraries, the resolver's and TLS's settings, the source itself; of a file
              that is followed, its folder, where it may be replaced. Writing nowhere
    sockets   streams and datagrams of the families that its kind needs; listening by TCP only where it is called
    others    no other program, no signal to another process, no look into one
    root      the rights to read files, and what its kind of socket needs

`landlock.py` and `seccomp.py` have it done by the kernel, each where it can; without them the process runs as before.
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
    hide_memory,
    keep_capabilities,
    take_no_rights,
)
from klvrelay.sources.isolated.seccomp import NETWORK, refuse_calls

LOG = logging.getLogger("klvrelay")

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
"""Of /etc no more: beside them there are keys and passwords."""
_KERNEL = (
    "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu", "/dev/null", "/dev/zero", "/dev/random",
    "/dev/urandom", "/run/systemd/resolve", "/usr/local/share/ca-certificates", "/var/lib/ca-certificates",
)  # fmt: skip
_CAPABILITIES = {
    "udp": (NET_BIND_SERVICE, NET_ADMIN, NET_RAW), "rtp": (NET_BIND_SERVICE, NET_ADMIN, NET_RAW),
    "tcp": (NET_BIND_SERVICE,), "srt": (NET_BIND_SERVICE,),
}  # fmt: skip


def confine(url: Url, options: Mapping[str, Any]) -> None:
    """Take from this process what the source at `url` does not need; before it has a second thread."""
    hide_memory()
    take_no_rights()
    keep_capabilities((DAC_READ_SEARCH, *_CAPABILITIES.get(url.scheme, ())))
    ports = _ports(url)
    missing = restrict(_readable(url, options), ports), refuse_calls(_families(url), listens=bool(ports))
    for why in filter(None, missing):
        LOG.info("a process of its own is not confined in full: %s", why)


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
    """Where modules are; of a path that klvrelay runs from, only klvrelay."""
    yield str(Path(__file__).parents[2])
    yield from (sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    yield from (os.path.join(prefix, "lib") for prefix in {sys.base_prefix, sys.prefix} if prefix != "/")
    here = os.path.realpath(".")
    for entry in map(os.path.realpath, filter(None, sys.path)):
        if os.path.commonpath((entry, here)) != entry and entry != str(Path(__file__).parents[3]):
            yield entry
    yield from os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)


def _of_tls(options: Mapping[str, Any]) -> Iterator[str]:
    """Certificates to trust, as they are set or as OpenSSL was built."""
    paths = ssl.get_default_verify_paths()
    named = (paths.cafile, paths.capath, paths.openssl_cafile, paths.openssl_capath, options["ca_file"])
    yield from filter(None, named)
    yield from (os.environ[name] for name in ("OPENSSL_CONF", "GNUTLS_SYSTEM_PRIORITY_FILE") if name in os.environ)


def _nearest(folder: str) -> str:
    """The folder, or the nearest one above it that is there."""
    folder = os.path.abspath(folder)
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return folder


def _ports(url: Url) -> tuple[int, ...]:
    """TCP ports that it may listen on: that of a source which is called, and of RTSP's gateway one of the kernel's."""
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
    # The names of a local network are had from a service (mDNS), over a socket of the machine.
    return (*NETWORK, socket.AF_UNIX) if url.host.endswith(".local") else NETWORK
