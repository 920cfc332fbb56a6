"""The two ways in which a command can fail, and the exit status of each."""

INTERRUPTED = 130  # 128 + SIGINT, what a shell reports for a program that Ctrl-C ended


class TilegradError(Exception):
    """Something outside the program is wrong (a file, a folder, a missing package): one clear line, exit status 1."""

    exit_status = 1


class UsageError(TilegradError):
    """The command was asked for something that it cannot do, whatever the files hold: one clear line, exit status 2."""

    exit_status = 2


class TrainingInterruptedError(TilegradError):
    """Ctrl-C, after everything worth keeping has been saved: the line says what was saved, exit status 130."""

    exit_status = INTERRUPTED
