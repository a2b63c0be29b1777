"""The command line: main finds and runs a command, options holds what commands share; the commands
are in training, network, scores, checkpoints (with card, the model card) and data. A new option is
a field with a docstring, a new command a class. Commands import the library as they run, so that
`vsod --help` answers at once."""
