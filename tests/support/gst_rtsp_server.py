"""GStreamer's RTSP server in a separate process: `/usr/bin/python3 gst_rtsp_server.py SETTINGS`.

SETTINGS is JSON; `rtsp_servers.py` writes it. The server prints its port once it is ready. Its mounts:

    /ts      MPEG-TS in RTP (rtpmp2tpay)
    /klv     KLV as its only track (rtpklvpay)
    /both    H.264 out of a recording, and KLV as a separate track
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from itertools import chain, cycle
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

APPSRC = "appsrc name={name} format=time block=false caps="


def units(klv: bytes) -> Iterator[bytes]:
    """The units of bare KLV; the lengths are in short form, or in long form with two octets."""
    at = 0
    while at < len(klv):
        first = klv[at + 16]
        end = at + (17 + first if first < 0x80 else 19 + int.from_bytes(klv[at + 17 : at + 19], "big"))
        yield klv[at:end]
        at = end


LINGER = 0.3
"""Seconds from the last packet to the end of the session, which is sent by TCP and could overtake datagrams."""


class Mount(GstRtspServer.RTSPMediaFactory):
    """Pipelines fed by this process: {name of the appsrc: (its buffers, seconds between two)}."""

    def __init__(self, launch: str, sources: dict[str, tuple[list[bytes], float]], settings: dict[str, Any]) -> None:
        super().__init__()
        self._sources, self._endless = sources, settings["endless"]
        self.set_launch(f"( {launch} )")
        self.set_shared(False)
        self.connect("media-configure", self._configure)
        if settings["transport"]:
            names = {"tcp": GstRtsp.RTSPLowerTrans.TCP, "udp": GstRtsp.RTSPLowerTrans.UDP}
            self.set_protocols(names[settings["transport"]])

    def _configure(self, _: Any, media: GstRtspServer.RTSPMedia) -> None:
        for name, (buffers, step) in self._sources.items():
            waiting = enumerate(cycle(buffers) if self._endless else chain(buffers))
            media.get_element().get_by_name(name).connect("need-data", self._fill, waiting, step)

    @staticmethod
    def _fill(source: Gst.Element, _: int, waiting: Iterator[tuple[int, bytes]], step: float) -> None:
        for number, data in waiting:
            buffer = Gst.Buffer.new_wrapped(data)
            buffer.pts = round(number * step * Gst.SECOND)
            buffer.duration = round(step * Gst.SECOND)
            source.emit("push-buffer", buffer)
            return
        time.sleep(LINGER)
        source.emit("end-of-stream")


def secure(server: GstRtspServer.RTSPServer, mounts: list[Mount], settings: dict[str, Any]) -> None:
    """Require a user and a password by "basic" or "digest", and use TLS, as the settings say."""
    auth = GstRtspServer.RTSPAuth()
    if settings["certificate"]:
        auth.set_tls_certificate(Gio.TlsCertificate.new_from_file(settings["certificate"]))
    if settings["auth"]:
        digest = settings["auth"] == "digest"
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST if digest else GstRtsp.RTSPAuthMethod.BASIC)
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "user")
        user, password = settings["user"], settings["password"]
        if digest:
            auth.add_digest(user, password, token)
        else:
            auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
        for mount in mounts:
            for right in ("access", "construct"):
                mount.add_role_from_structure(role(right, mount))
    server.set_auth(auth)


def role(right: str, mount: Mount) -> Gst.Structure:
    permissions = Gst.Structure.new_empty("user")
    permissions.set_value(f"media.factory.{right}", True)
    other = {"access": "construct", "construct": "access"}[right]
    permissions.set_value(f"media.factory.{other}", True)
    return permissions


def main() -> None:
    settings = json.loads(sys.argv[1])
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    mtu = settings["mtu"]
    ts = Path(settings["ts"]).read_bytes()
    pieces = [ts[at : at + 1316] for at in range(0, len(ts), 1316)]
    klv = list(units(Path(settings["klv"]).read_bytes()))
    track = APPSRC.format(name="klv") + f"meta/x-klv,parsed=true ! rtpklvpay mtu={mtu} pt=97 name="
    slices = {"ts": (pieces, settings["seconds"] / len(pieces))}
    packets = {"klv": (klv, settings["seconds"] / len(klv))}
    mounts = {
        "/ts": Mount(APPSRC.format(name="ts") + "video/mpegts,systemstream=true,packetsize=188"
                     f" ! rtpmp2tpay mtu={mtu} name=pay0", slices, settings),
        "/klv": Mount(track + "pay0", packets, settings),
    }  # fmt: skip
    if settings["video"]:
        video = f"filesrc location={settings['video']} ! tsdemux ! h264parse ! rtph264pay pt=96 name=pay0 "
        mounts["/both"] = Mount(video + track + "pay1", packets, settings)
    for path, mount in mounts.items():
        server.get_mount_points().add_factory(path, mount)
    if settings["certificate"] or settings["auth"]:
        secure(server, list(mounts.values()), settings)
    server.attach(None)
    print(server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
