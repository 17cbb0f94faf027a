"""The command `klvrelay`. The module named after a verb has its options; `verbs/` has its work.

    main.py              runs the verb              option_groups.py     options that several verbs share
    options.py           the verbs, and --help      relay_settings.py    settings of `run` and `replay`
    parser.py            argument parser            source_urls.py       URLs of sources, with their passwords
    intermixed.py        order of the arguments     redaction.py         removes secrets from messages
    option_origins.py    settings that come from options, for `--print-config`
    loading.py           start-up without garbage collection
    stopping.py          SIGINT and SIGTERM; hangup.py: SIGHUP
    standard_streams.py  closed streams, full disks and pipes without a reader
    silence.py           hint for a silent source
    log_options.py       the log that options, environment and settings choose
    embedded_broker.py   broker of `demo`
    web_server.py        the web server beside a relay
"""
