"""The command line: main finds and runs a command, options holds what commands share, the rest
are the commands by group. A new option is a field with a docstring, a new command a class."""
