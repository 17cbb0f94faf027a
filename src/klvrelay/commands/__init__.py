"""The verbs on the command line, one file each: their options and help, and what calls the work in `verbs/`.

A file has EXAMPLES and EPILOG for its help, ON_LOOP (whether `run` is a coroutine function), `add_options(parser)`,
and `run(args)`, which gives the exit code. It imports what does the work inside `run`: help and errors come at once.
"""
