"""Settings as typed values: URLs, TOML files and secrets.

    settings.py       a relay and its sources             url.py          URLs, shown without credentials
    settings_file.py  reads them from TOML                parameters.py   secrets in the path and query of a URL
    toml_reader.py    tables, with the line of an error   mistyped.py     mistyped URLs that may contain a password
    login_reader.py   users and passwords in the tables   credentials.py  passwords in files and the environment
    mqtt.py           one broker                          small_file.py   files of limited size
    choice.py         selected PIDs and program           names.py        names of streams and topic levels
    ports.py          sources on the same port
"""
