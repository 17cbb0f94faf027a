"""The ledger of incidents: outages of streams, sinks, the spool and the relay, in SQLite, and their figures.

    incident       one outage, and its JSON document
    query          which incidents are wanted
    parts          the streams and sinks of each run, which have figures without incidents too
    stored_figures figures of what is in the file
    figures        count, MTTR, MTBF, time to detect, availability and longest outage of a period
    moment         a time by the clocks of the machine, comparable over restarts
    tracker        makes incidents of the changes of health
    losses         what an outage cost: records lost and delayed
    database       the SQLite file: schema, reading, writing, pruning
    rows           incidents and runs as rows of the file
    run_spans      when this run was, by a wall clock that may step
    opening        opens the file, and says why it cannot be used
    ledger         keeps incidents in memory while the file cannot be written; its only writer thread
    alive          the file by which the next start knows when a run was killed
    earlier_run    what an earlier run left: its end, and its open incidents
    state_folder   the state directory, of one relay at a time
    daily          the report of a day
    requests       reads requests to acknowledge an incident
    ledger_service all of it for a running relay
"""

from klvrelay.incidents.incident import Incident
from klvrelay.incidents.query import Query

__all__ = ["Incident", "Query"]
