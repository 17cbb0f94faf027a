"""The part of libsrt's header (srt.h, 1.5) that klvrelay uses."""

from __future__ import annotations

from enum import IntEnum

# Newer versions append to the statistics: `later` reserves space for these fields.
DECLARATIONS = """
typedef struct {
    int flags, msgttl, inorder, boundary;
    int64_t srctime;
    int32_t pktseq, msgno;
    void *grpdata;
    size_t grpdata_size;
} SRT_MSGCTRL;

typedef struct {
    int64_t msTimeStamp, pktSentTotal, pktRecvTotal;
    int pktSndLossTotal, pktRcvLossTotal, pktRetransTotal;
    int pktSentACKTotal, pktRecvACKTotal, pktSentNAKTotal, pktRecvNAKTotal;
    int64_t usSndDurationTotal;
    int pktSndDropTotal, pktRcvDropTotal, pktRcvUndecryptTotal;
    uint64_t byteSentTotal, byteRecvTotal, byteRcvLossTotal, byteRetransTotal;
    uint64_t byteSndDropTotal, byteRcvDropTotal, byteRcvUndecryptTotal;
    int64_t pktSent, pktRecv;
    int pktSndLoss, pktRcvLoss, pktRetrans, pktRcvRetrans;
    int pktSentACK, pktRecvACK, pktSentNAK, pktRecvNAK;
    double mbpsSendRate, mbpsRecvRate;
    int64_t usSndDuration;
    int pktReorderDistance;
    double pktRcvAvgBelatedTime;
    int64_t pktRcvBelated;
    int pktSndDrop, pktRcvDrop, pktRcvUndecrypt;
    uint64_t byteSent, byteRecv, byteRcvLoss, byteRetrans, byteSndDrop, byteRcvDrop, byteRcvUndecrypt;
    double usPktSndPeriod;
    int pktFlowWindow, pktCongestionWindow, pktFlightSize;
    double msRTT, mbpsBandwidth;
    char later[1024];
} SRT_TRACEBSTATS;

int srt_startup(void);
int srt_cleanup(void);
uint32_t srt_getversion(void);
void srt_setloglevel(int level);
int srt_create_socket(void);
int srt_bind(int u, const void *name, int length);
int srt_listen(int u, int backlog);
int srt_accept(int u, void *name, int *length);
int srt_connect(int u, const void *name, int length);
int srt_close(int u);
int srt_setsockflag(int u, int option, const void *value, int length);
int srt_getsockflag(int u, int option, void *value, int *length);
int srt_getsockstate(int u);
int srt_sendmsg2(int u, const char *data, int length, SRT_MSGCTRL *control);
int srt_recvmsg2(int u, char *data, int length, SRT_MSGCTRL *control);
int srt_bstats(int u, SRT_TRACEBSTATS *statistics, int clear);
int srt_getlasterror(int *system_error);
const char *srt_strerror(int code, int system_error);
int srt_getrejectreason(int u);
const char *srt_rejectreason_str(int reason);
int64_t srt_time_now(void);
"""


class Option(IntEnum):
    """SRT_SOCKOPT."""

    SNDSYN = 1
    RCVSYN = 2
    RENDEZVOUS = 12
    SNDDATA = 19
    PASSPHRASE = 26
    PBKEYLEN = 27
    CONNTIMEO = 36
    RCVLATENCY = 43
    PEERLATENCY = 44
    STREAMID = 46
    IPV6ONLY = 54
    PEERIDLETIMEO = 55


class State(IntEnum):
    """SRT_SOCKSTATUS, the states in use."""

    CONNECTING = 4
    CONNECTED = 5


class Fault(IntEnum):
    """SRT_ERRNO, the errors that are handled separately."""

    LOST = 2001
    UNCONNECTED = 2002
    NO_SOCKET = 5004
    PORT_IN_USE = 5015
    SEND_BUFFER_FULL = 6001
    NO_DATA = 6002
    CONGESTED = 6004
