"""The command line: main holds the parser, the other files a group of commands each."""
