"""The command `tilegrad`: what it can be told, and which module does it.

Exit status: 0 done; 1 something outside is wrong (a file, a folder, a missing package); 2 wrong usage; 130 Ctrl-C.
"""

import argparse
import errno
import glob
import math
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from typing import Any, NoReturn

from ._version import __version__
from .benchmarks import cli as benchmarks
from .errors import INTERRUPTED, TilegradError
from .recipes.settings import DenoiseSettings


class _Parser(argparse.ArgumentParser):
    """Answers wrong usage with one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status; ``arguments`` are those of the process where none are given."""
    try:
        options = _parser().parse_args(arguments)
        options.command(options)
        if sys.stdout is not None:  # it is None where the caller closed it
            sys.stdout.flush()
    except TilegradError as error:
        print(f"tilegrad: {error}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        print("tilegrad: interrupted; nothing more was written", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone. Python would complain once more when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except MemoryError as error:
        return _not_enough_memory(error)
    except OSError as error:
        if error.errno == errno.ENOMEM:
            return _not_enough_memory(error)
        print(f"tilegrad: {error.filename or 'file system'}: {error.strerror or error}", file=sys.stderr)
        return 1
    return 0


def _not_enough_memory(error: Exception) -> int:
    asked = f" ({error})" if isinstance(error, MemoryError) and str(error) else ""
    print(f"tilegrad: not enough memory{asked}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="tilegrad",
        description="Hand-written image kernels, and the smallest autograd that trains image restorers on them.",
    )
    parser.add_argument("--version", action="version", version=f"tilegrad {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_train(commands)
    _add_restore(commands)
    bench = commands.add_parser("bench", help="measure this machine beside PyTorch", description=benchmarks.DESCRIPTION)
    benchmarks.add_arguments(bench)
    bench.set_defaults(command=benchmarks.run)
    doctor = commands.add_parser(
        "doctor", help="show what is installed, what is missing and what brings it", description="Show versions, "
        "processor, threads, kernel cache, CUDA and optional packages, and the command that brings what is missing.",
    )  # fmt: skip
    doctor.set_defaults(command=_doctor)
    _add_warmup(commands)
    return parser


def _add_train(commands: Any) -> None:
    train = commands.add_parser("train", help="train a model", description="Train a model.")
    recipes = train.add_subparsers(metavar="RECIPE", required=True)
    denoise = recipes.add_parser(
        "denoise",
        help="a small DnCNN that takes noise out of gray pictures",
        description="Train a small DnCNN to take Gaussian noise out of gray pictures: without arguments on the "
        "photographs that scikit-image carries, in about five minutes on two processor cores. Ctrl-C stops the "
        "training; --resume goes on with it.",
        epilog="Files in the --out folder: model.safetensors (the trained model, for tilegrad restore), log.jsonl (a "
        "record for each epoch), curves.png (loss, PSNR and SSIM over the epochs), before-after.png (held-out "
        "pictures: clean, noisy, best Gaussian filter, network). They replace those of an earlier run. While it "
        "trains, checkpoint.safetensors has all that --resume needs.",
        argument_default=argparse.SUPPRESS,
    )
    defaults = asdict(DenoiseSettings())

    def option(name: str, meaning: str, **settings: Any) -> None:
        default = defaults[name]
        shown = (
            ""
            if default is None
            else f" (default {default:g})"
            if isinstance(default, float)
            else f" (default {default})"
        )
        denoise.add_argument(f"--{name}", help=meaning + shown, **settings)

    option("data", "a folder of pictures to train on; one in eight is held out for measuring (default: the "
           "photographs in scikit-image, of which camera, coffee and chelsea are held out)", metavar="DIR")  # fmt: skip
    option("out", "folder for the results, made if missing", metavar="DIR")
    option("sigma", "standard deviation of the noise, for pixels from 0 to 255", type=_positive(1000), metavar="S")
    option("epochs", "epochs to train for", type=_count(1), metavar="N")
    option("steps", "batches in an epoch", type=_count(1), metavar="N")
    option("batch", "patches in a batch", type=_count(1), metavar="N")
    option("patch", "side of a patch in pixels", type=_count(8), metavar="N")
    option("depth", "convolutions in the network", type=_count(2), metavar="N")
    option("channels", "channels of each hidden layer", type=_count(1, 65536), metavar="N")
    denoise.add_argument(
        "--batch-norm", action=argparse.BooleanOptionalAction, default=argparse.SUPPRESS,
        help=f"normalise between the convolutions (default {'yes' if defaults['batch_norm'] else 'no'})",
    )  # fmt: skip
    option("lr", "highest learning rate of Adam; it falls to 0 along half a cosine", type=_positive(), metavar="R")
    option(
        "seed",
        "of weights, patches and noise; the same seed gives the same bits",
        type=_count(0, 2**63 - 1),
        metavar="N",
    )
    denoise.add_argument(
        "--resume", action="store_true", default=False,
        help="go on with the run in --out that was stopped, with the settings that it was begun with; the result has "
        "the same bits as if it had not been stopped",
    )  # fmt: skip
    denoise.set_defaults(command=_train_denoise)


def _add_restore(commands: Any) -> None:
    restore = commands.add_parser(
        "restore",
        help="apply a trained model to pictures",
        description="Apply a trained restorer to a gray or colour picture of 8 or 16 bits, of any size; the result has "
        "as many bits, and the same alpha channel. Several pictures, a folder, or a pattern such as 'scans/*.png' are "
        "restored into the folder OUT, under their own names.",
    )
    restore.add_argument("sources", metavar="IN", nargs="+", help="pictures: PNG, TIFF, JPEG, BMP, PGM ...; folders")
    restore.add_argument(
        "target", metavar="OUT", help="the file to write, in an existing folder, which may be IN itself; or, for "
        "several pictures, a folder, made if missing",
    )  # fmt: skip
    restore.add_argument("--model", required=True, metavar="FILE", help="model.safetensors from tilegrad train")
    restore.add_argument(
        "--memory", type=_count(1), default=256, metavar="MIB",
        help="what the network's images between its layers may take (default 256); a picture that needs more is "
        "restored in tiles, to the same bits",
    )  # fmt: skip
    restore.set_defaults(command=_restore)


def _add_warmup(commands: Any) -> None:
    warmup = commands.add_parser(
        "warmup",
        help="compile kernels ahead of their first use",
        description="Compile kernels by several processes and store them in the kernel cache, for all later processes: "
        "what the training recipes need, unless something else is named.",
    )
    what = warmup.add_mutually_exclusive_group()
    what.add_argument("--model", metavar="FILE", help="what this model.safetensors needs to restore pictures")
    what.add_argument("--recipe", choices=["denoise"], help="what tilegrad train RECIPE needs by default")
    what.add_argument("--all", action="store_true", help="all operations, in float32 and float64")
    warmup.add_argument("--jobs", type=_count(1), metavar="N", help="processes that compile (default: one a processor)")
    warmup.set_defaults(command=_warmup)


def _positive(most: float | None = None) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and value > 0 and (most is None or value <= most)):
            limit = "" if most is None else f" and of at most {most:g}"
            raise argparse.ArgumentTypeError(f"expects a number above 0{limit} but is {text!r}")
        return value

    return parse


def _count(least: int, most: int | None = None) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least or (most is not None and value > most):
            limits = f"of at least {least}" if most is None else f"from {least} to {most}"
            raise argparse.ArgumentTypeError(f"expects a whole number {limits} but is {text!r}")
        return value

    return parse


# Each command imports what it needs when it runs: `tilegrad --help` answers at once, on any installation.


def _train_denoise(options: argparse.Namespace) -> None:
    from .fitting import resumed_settings
    from .recipes import denoise

    given = {field.name: getattr(options, field.name) for field in fields(DenoiseSettings) if field.name in options}
    if options.resume:
        given = resumed_settings(given.get("out", DenoiseSettings.out), given)
    denoise.run(DenoiseSettings(**given), resume=options.resume)


def _restore(options: argparse.Namespace) -> None:
    from .restore import restore_file, restore_files

    sources: list[str] = options.sources
    if len(sources) > 1 or os.path.isdir(sources[0]) or (glob.has_magic(sources[0]) and not os.path.exists(sources[0])):
        restore_files(sources, options.target, options.model, memory=options.memory)
    else:
        restore_file(sources[0], options.target, options.model, memory=options.memory)


def _warmup(options: argparse.Namespace) -> None:
    from .warmup import run

    print(run(options.model, options.recipe, options.all, options.jobs))


def _doctor(options: argparse.Namespace) -> None:
    from .doctor import as_table, report

    print(as_table(report()))
