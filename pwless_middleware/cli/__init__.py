"""The command line, `pwless`. It reads the environment; the library never does.

`main` is the parser, `run` and `secret` are commands, the rooms hold the others. What stands beside
them is what commands share: the app that is meant, its installation, what is printed.
"""
