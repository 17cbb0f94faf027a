"""Open a URL with libav: what it may open, how much it probes, how long it waits, and its errors in plain words."""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from klvrelay.config.url import Url
from klvrelay.errors import ConfigError, NotMedia, OutOfMemory, SourceDown, SourceError
from klvrelay.sources import receive_buffer
from klvrelay.sources.libav.boxes import lacks_index
from klvrelay.sources.progress import BESIDE, DISK
from klvrelay.threads import Pulse
from klvrelay.transports import tls

if TYPE_CHECKING:
    from av.container import InputContainer

    from klvrelay.sources.libav.gateway import Gateway, Refusal

LOG = logging.getLogger("klvrelay.sources")

_RTSP = ("rtsp", "rtsps")
REDIRECTS = 5
SESSIONS_MOST = 24
"""Maximum number of session attempts: redirects and rejected tracks."""
UNSUPPORTED_TRANSPORT = 461

_CONTAINERS = "mpegts,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mxf,avi,flv,mpeg,asf"
_PROTOCOLS = {
    "file": "file",
    "stdin": "none",
    "bytes": "none",
    "rtsp": "rtsp,rtp,udp,tcp",
    "rtsps": "rtsp,rtp,srtp,udp,tcp",
    "http": "none",
    "https": "none",
}

# Time stamps as sent. "nofillin" stops libav from computing missing ones: in that code, an assertion of libav
# (libavformat/demux.c) aborts the process if a PID that appeared late changes its codec.
AS_SENT = {"fpsprobesize": "0", "correct_ts_overflow": "0", "fflags": "+nofillin"}

# No frame is decoded: no picture is needed here, and if a PMT changes a PID's codec after its last frame, an assertion
# of libav (libavformat/demux.c) aborts the process when it opens the decoder.
UNDECODED = {"codec_whitelist": "none"}


class Demuxer:
    """One URL opened by libav, and how long it has been silent since.

    pulse   of the thread that calls it: libav opens within two time-outs, and then reads within one
    """

    def __init__(
        self, url: Url, timeout: float, options: Mapping[str, str], ca_file: str | None = None,
        pulse: Pulse | None = None,
    ) -> None:  # fmt: skip
        self.url = self._at = url
        self._ca_file = ca_file
        self.options = dict(options)
        self._timeout = timeout
        self._pulse = Pulse() if pulse is None else pulse
        self._limit = BESIDE + (DISK if url.scheme == "file" else timeout)
        self._opened, self._waits, self._has_data = False, True, False
        self._last_data = time.monotonic()
        self.udp_ports: frozenset[int] = frozenset()

    def open(self, file: Any = None) -> InputContainer:
        """Open the container at the URL, or in a readable `file` that replaces it.

        If the file has a `reset_budget` method, it is called whenever libav has returned data.
        """
        self._waits, self._file, self._on_data = file is None, file, getattr(file, "reset_budget", None)
        container = self._open_rtsp() if file is None and self.url.scheme in _RTSP else self._open_container(file)
        self.restart_timeout()
        self._opened, self._has_data = True, False
        return container

    def _open_rtsp(self) -> InputContainer:
        """A session through a gateway, without the tracks that the server rejects; raises SourceDown with the cause."""
        from klvrelay.sources.libav.gateway import Gateway  # here, because it imports http.client
        from klvrelay.transports.http.reach import Reach

        without: frozenset[int] = frozenset()
        redirects, switched, reach = 0, False, Reach()
        for _ in range(SESSIONS_MOST):
            with Gateway(
                self._at, timeout=self._timeout, reach=reach, ca_file=self._ca_file, without=without
            ) as gateway:
                container, fault = self._open_through(gateway)
            if container is not None:
                self.udp_ports = frozenset(gateway.udp_ports)
                if self.udp_ports:
                    receive_buffer.check_libav(int(self.options["buffer_size"]))
                return container
            refusal = gateway.refusal
            if refusal is None:
                assert fault is not None
                raise fault
            if refusal.location:
                redirects += 1
                if redirects > REDIRECTS:
                    raise SourceDown(f"{self.url}: too many redirects: check the URL")
                self._at, without = self._redirected_url(self._at, refusal.location), frozenset()
            elif refusal.status == UNSUPPORTED_TRANSPORT and not switched:
                switched = True
                self._switch_transport()
            elif refusal.status == UNSUPPORTED_TRANSPORT:
                raise SourceDown(f"{self.url}: it supports neither transport=tcp nor transport=udp")
            else:
                without = self._without_refused(gateway, refusal, without)
        raise SourceDown(f"{self.url}: the server rejects all tracks")

    def _without_refused(self, gateway: Gateway, refusal: Refusal, without: frozenset[int]) -> frozenset[int]:
        """The tracks to leave out; raises SourceDown if no KLV would remain, or if the refusal concerns no track."""
        refused = without if refusal.track is None else without | {refusal.track.number}
        if refused == without or not any(m.may_be_klv for m in gateway.media if m.number not in refused):
            raise SourceDown(f"{self.url}: {refusal.text}", wait=refusal.wait)
        LOG.warning("%s: track rejected, reading without it: reason=%r", self.url, refusal.text)
        return refused

    def _open_through(self, gateway: Gateway) -> tuple[InputContainer | None, Exception | None]:
        import av

        try:
            return self._open_container(None, gateway.local), None
        except (av.FFmpegError, OSError, ValueError) as fault:
            return None, fault

    def _redirected_url(self, url: Url, location: str) -> Url:
        """The target of a redirect; credentials are kept only for the same host and port."""
        from klvrelay.sources.libav.gateway import port_of

        try:
            there = Url.parse(location)
        except ConfigError:
            there = Url("")
        if there.scheme not in _RTSP or not there.host or not location.isprintable() or " " in location:
            raise SourceDown(f"{self.url}: it redirects to a URL that is not rtsp://")
        if url.scheme == "rtsps" and there.scheme == "rtsp":
            raise SourceDown(f"{self.url}: it redirects from rtsps:// to rtsp://, which cannot be verified")
        same = (there.scheme, there.host, port_of(there)) == (url.scheme, url.host, port_of(url))
        login = (url.user, url.password) if same else (None, None)
        return there._replace(user=login[0], password=login[1])

    def _switch_transport(self) -> None:
        rejected = self.options["rtsp_transport"]
        used = self.options["rtsp_transport"] = "udp" if rejected == "tcp" else "tcp"
        LOG.info("%s: RTSP transport rejected, using the other: transport=%s used=%s", self.url, rejected, used)

    def _open_container(self, file: Any, local: str = "") -> InputContainer:
        import av

        url = self._at
        path = local or url.unredacted()
        with self._pulse.within(self._limit + self._timeout):
            container: InputContainer = av.open(
                file or (f"file:{path}" if url.scheme == "file" else path),
                format="rtsp" if url.scheme in _RTSP else None,
                options=self.options,
                timeout=self._timeout if file is None else None,
                **lenient_metadata(),
            )
        return container

    def _silence_reason(self) -> str:
        if not self._opened:
            return f"no response within {self._timeout:g} s"
        by_udp = self.options.get("rtsp_transport") == "udp" and not self._has_data
        reason = "no data over UDP (blocked by a firewall? try ?transport=tcp)" if by_udp else "sent nothing"
        return f"{reason} for {self._timeout:g} s"

    def _no_media_reason(self) -> str:
        if lacks_index(self._file, self.url):
            return "an mp4 or mov without its index (moov): the recording was cut off before it was finished"
        return "contains neither MPEG-TS nor KLV, nor a container that klvrelay can read"

    def restart_timeout(self) -> None:
        """Data arrived: restart the time-out."""
        self._has_data, self._last_data = True, time.monotonic()
        self._pulse.expect(self._limit)
        if self._on_data is not None:
            self._on_data()

    def explain(self, error: Exception, *, live: bool) -> SourceError | None:
        """A libav error in plain words: libav's text may contain the URL with the password. None: end of stream."""
        if isinstance(error, MemoryError):
            return OutOfMemory(f"{self.url}: out of memory in libav")
        kind, number = type(error).__name__, getattr(error, "errno", None)
        if kind == "ExitError" or (self._waits and time.monotonic() - self._last_data >= self._timeout):
            return SourceDown(f"{self.url}: {self._silence_reason()}")
        if self._opened and live and number == errno.EIO:
            return None  # libav reports the end of a web stream of unknown length in this way
        if kind in ("InvalidDataError", "EOFError", "ArgumentError") and not self._opened:
            return NotMedia(f"{self.url}: {self._no_media_reason()}")
        code = f"{kind}, {errno.errorcode[number]}" if number and number in errno.errorcode else kind
        reasons = _READ_REASONS if self._opened else _OPEN_REASONS
        return SourceDown(f"{self.url}: {reasons.get(kind, 'libav cannot read it')} ({code})")


def lenient_metadata() -> dict[str, Any]:
    """Options for `av.open`: PyAV before 19 fails on titles that are not UTF-8 unless configured to replace them."""
    import av

    return {"metadata_errors": "replace"} if int(av.__version__.partition(".")[0]) < 19 else {}


def libav_options(url: Url, ca_file: str | None = None) -> Mapping[str, str]:
    """What libav may open, and how long it may probe; raises ConfigError for an invalid option."""
    options = {
        "protocol_whitelist": _PROTOCOLS[url.scheme],
        **_PROBE_LIMITS.get(url.scheme, _PROBE_LIMITS["file"]),
        **AS_SENT,
    }
    if url.scheme in ("rtsp", "rtsps"):
        url.check_host()
        options |= _rtsp_options(url)
    else:
        options |= UNDECODED | {"format_whitelist": _CONTAINERS}
    if url.scheme == "rtsps" or ca_file is not None:
        tls.client_context(ca_file)  # report an unusable file before anything starts
    return options


def _probe_limits(size: int, microseconds: int) -> dict[str, str]:
    return {"probesize": str(size), "analyzeduration": str(microseconds)}


# How much libav probes before it lists the streams. PyAV never shows a stream that appears later. In RTSP, libav
# guesses PIDs until the PMT arrives, so the probe must include one: it takes up to a second of the stream, but stops as
# soon as all streams of the PMT are known (measured: 0.1 to 0.8 s).
_PROBE_LIMITS = {
    "file": _probe_limits(65536, 500_000),
    "rtsp": _probe_limits(5_000_000, 1_000_000),
    "rtsps": _probe_limits(5_000_000, 1_000_000),
}


def _rtsp_options(url: Url) -> dict[str, str]:
    transport = url.options.get("transport", "tcp")
    if transport not in ("tcp", "udp"):
        raise ConfigError(f"{url}: transport must be tcp or udp")
    return {"rtsp_transport": transport, "allowed_media_types": "video+data", **_UDP_OPTIONS}


# Over UDP, libav reorders datagrams, and waits 20 ms for a missing one (its default: 100 ms). Without that queue it
# would pass on reordered datagrams as they arrive, and the checksum, a sum of 16-bit words, may still be correct: a
# false record. Over TCP there is no queue.
_UDP_OPTIONS = {"max_delay": "20000", "buffer_size": str(receive_buffer.SIZE)}

_OPEN_REASONS = {
    "FileNotFoundError": "no such file; a network source begins with rtsp://, http://, ...",
    "IsADirectoryError": "it is a folder: give a file in it",
    "PermissionError": "no permission to read it",
    "HTTPUnauthorizedError": "it rejects the user name or the password (401)",
    "HTTPForbiddenError": "access is forbidden to this user (403)",
    "HTTPNotFoundError": "not found (404)",
    "HTTPServerError": "internal server error (5xx)",
    "ConnectionRefusedError": "connection refused: check host and port",
    "ConnectionResetError": "the server closed the connection",
    "ProtocolNotFoundError": "it leads to a protocol that is not allowed",
    "OSError": "no connection: check the host name, the network, and for TLS the certificate (ca_file)",
}

_READ_REASONS = {
    "ConnectionResetError": _OPEN_REASONS["ConnectionResetError"],
    "OSError": "it ended before its announced length",
    "InvalidDataError": "its data is damaged",
}
