"""Settings as typed values: URLs, TOML files, the environment and secrets.

Each setting is described once, beside its field, in settings.py and mqtt.py:

    setting.py          one setting                       kinds.py            the kinds of values
    settings.py         a relay, its sources and sinks    mqtt.py             one broker
    tables.py           all settings, by table            explain.py          prints them with their origins
    outputs.py          what a sink publishes             topic_template.py   their topics
    schema.py           their JSON Schema                 reference.py        docs/configuration.md

    settings_file.py    reads TOML and the environment    url.py              URLs, shown without credentials
    toml_reader.py      parses TOML                       units.py            sizes and times with units
    entries.py          the tables of a file              parameters.py       secrets in the path and query of a URL
    toml_lines.py       the line of each setting          mistyped.py         mistyped URLs that may contain a password
    variables.py        settings of the environment       credentials.py      passwords in files and the environment
    settings_reader.py  makes typed settings              secret_reader.py    passwords in the tables
    table_reader.py     the values of a table             sink_reader.py      those of sinks; sinks/: their kinds
    faults.py           all faults at once                small_file.py       files of limited size
    choice.py           selected PIDs and program         names.py            names of streams and topic levels
    ports.py            sources on the same port          uniqueness.py       names that only one may have
    mqtt_url.py         the URL of a broker               output_changes.py   changes of outputs at run time
    advice.py           valid settings to reconsider      web.py              where the web server listens
    alerts.py           alerts, geofences, destinations   alert_rules.py      the rules and their defaults
    alerts_reader.py    their tables                      quiet_hours.py      hours without notifications
    web_certificate.py  its certificate                   incidents.py        the ledger of incidents
    log.py              the log of the process            writable_folder.py  can files be made in a folder?
    further_checks.py   checks that need files            json_request.py     requests of subscribers
    alert_advice.py     alert settings without effect
"""
