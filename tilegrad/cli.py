"""The command `tilegrad`: what it can be told, and which module does it.

Exit status: 0 done; 1 something outside is wrong (a file, a folder, a missing package); 2 wrong usage; 130 Ctrl-C.
"""

import argparse
import errno
import glob
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from ._version import __version__
from .benchmarks import cli as benchmarks
from .errors import INTERRUPTED, TilegradError
from .options import add_recipes, count


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
        description="Hand-written image kernels, and the smallest autograd that trains GANs and image restorers on "
        "them.",
    )
    parser.add_argument("--version", action="version", version=f"tilegrad {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_train(commands)
    _add_restore(commands)
    _add_generate(commands)
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
    add_recipes(train.add_subparsers(metavar="RECIPE", required=True))


def _add_generate(commands: Any) -> None:
    generate = commands.add_parser(
        "generate",
        help="make images with a trained generator",
        description="Make images with the generator that tilegrad train gan has trained, side by side in one picture.",
    )
    generate.add_argument(
        "--model", required=True, metavar="FILE", help="generator.safetensors from tilegrad train gan"
    )
    generate.add_argument("--count", type=count(1, 10000), default=64, metavar="N", help="images (default 64)")
    generate.add_argument(
        "--seed", type=count(0, 2**63 - 1), default=0, metavar="N", help="of the random vectors (default 0)"
    )
    generate.add_argument("--out", default="grid.png", metavar="FILE", help="the picture to write (default grid.png)")
    generate.add_argument(
        "--interpolate", type=count(2, 100), metavar="STEPS",
        help="in place of unrelated images, rows that lead from one to another in so many steps",
    )  # fmt: skip
    generate.set_defaults(command=_generate)


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
        "--memory", type=count(1), default=256, metavar="MIB",
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
    what.add_argument(
        "--recipe", choices=["denoise", "gan", "classify"], help="what tilegrad train RECIPE needs by default"
    )
    what.add_argument("--all", action="store_true", help="all operations, in float32 and float64")
    warmup.add_argument("--jobs", type=count(1), metavar="N", help="processes that compile (default: one a processor)")
    warmup.set_defaults(command=_warmup)


# Each command imports what it needs when it runs: `tilegrad --help` answers at once, on any installation.


def _generate(options: argparse.Namespace) -> None:
    from .generate import generate_file

    generate_file(options.model, options.out, count=options.count, seed=options.seed, steps=options.interpolate)


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
