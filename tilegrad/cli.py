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
from .options import add_recipes, count, positive
from .picture_commands import add_picture_commands


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
    _add_evaluate(commands)
    _add_import(commands)
    add_picture_commands(commands)
    bench = commands.add_parser(
        "bench", help="measure this machine beside other libraries", description=benchmarks.DESCRIPTION
    )
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


def _add_evaluate(commands: Any) -> None:
    evaluate = commands.add_parser(
        "evaluate",
        help="measure a trained model",
        description="Measure a trained model by the protocols of published results. A restorer: mean PSNR and SSIM on "
        "a folder of pictures that are damaged by noise, by a lower resolution, or by JPEG. A classifier: the share "
        "of the test images that it tells right. A generator: the Frechet distance of its images from the test images, "
        "in the features of a classifier.",
    )
    evaluate.add_argument(
        "model", metavar="MODEL", help="a .safetensors file that tilegrad train or import has written"
    )
    evaluate.add_argument(
        "--data", required=True, metavar="DATA",
        help="for a restorer a folder of pictures; for others a set of images, as for tilegrad train classify",
    )  # fmt: skip
    damage = evaluate.add_mutually_exclusive_group()
    damage.add_argument(
        "--sigma", type=positive(1000), metavar="S", help="Gaussian noise of this deviation, of 255 (default 25)"
    )
    damage.add_argument(
        "--scale", type=count(2, 16), metavar="S", help="super-resolution: bicubic, smaller by S and enlarged again"
    )
    damage.add_argument("--jpeg", type=count(1, 100), metavar="Q", help="JPEG of this quality, in gray")
    evaluate.add_argument("--features", metavar="CLASSIFIER", help="file of the classifier that a generator needs")
    evaluate.add_argument("--count", type=count(2, 10**6), default=10_000, metavar="N", help="images to make (10000)")
    evaluate.add_argument("--seed", type=count(0, 2**63 - 1), default=0, metavar="N", help="of the made images (0)")
    evaluate.add_argument("--memory", type=count(1), default=256, metavar="MIB", help="as for tilegrad restore (256)")
    evaluate.add_argument("--json", metavar="FILE", help="write the figures, picture by picture, to this file")
    evaluate.set_defaults(command=_evaluate)


def _add_import(commands: Any) -> None:
    imported = commands.add_parser(
        "import",
        help="make a model of weights that PyTorch has trained",
        description="Read weights in PyTorch's layout, from an .npz or .safetensors file with the names of a "
        "state_dict, and write a model that tilegrad's commands take.",
    )
    imported.add_argument("weights", metavar="WEIGHTS", help=".npz or .safetensors; a .pt file is to be saved as these")
    imported.add_argument("out", metavar="OUT", help="the .safetensors file to write")
    imported.add_argument("--model", required=True, metavar="CLASS", help="DnCNN, SRCNN, LeNet5, CNNClassifier ...")
    imported.add_argument(
        "--configuration", default="{}", metavar="JSON", help="arguments of the class, such as '{\"depth\": 17}'"
    )
    imported.add_argument(
        "--rename", action="append", default=[], metavar="OLD=NEW",
        help="names that begin with OLD begin with NEW instead; may be given several times",
    )  # fmt: skip
    imported.set_defaults(command=_import)


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
    restore.add_argument(
        "--model", metavar="FILE", help="model.safetensors from tilegrad train (default: the denoiser that comes with "
        "tilegrad, for noise of any strength up to sigma 50)",
    )  # fmt: skip
    restore.add_argument(
        "--memory", type=count(1), default=256, metavar="MIB",
        help="what the network's images between its layers may take (default 256); a picture that needs more is "
        "restored in tiles, to the same bits",
    )  # fmt: skip
    restore.add_argument(
        "--device",
        choices=("cpu", "cuda"),
        default="cpu",
        help="where the network runs (default cpu); cuda is a GPU",
    )
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


def _evaluate(options: argparse.Namespace) -> None:
    from .evaluate import Question, evaluate

    asked = {name: value for name, value in vars(options).items() if name not in ("model", "command")}
    evaluate(options.model, Question(**asked))


def _import(options: argparse.Namespace) -> None:
    from .foreign import import_weights

    import_weights(options.weights, options.out, options.model, options.configuration, options.rename)


def _restore(options: argparse.Namespace) -> None:
    from .restore import DENOISER, restore_file, restore_files

    sources: list[str] = options.sources
    model = DENOISER if options.model is None else options.model
    if len(sources) > 1 or os.path.isdir(sources[0]) or (glob.has_magic(sources[0]) and not os.path.exists(sources[0])):
        restore_files(sources, options.target, model, memory=options.memory, device=options.device)
    else:
        restore_file(sources[0], options.target, model, memory=options.memory, device=options.device)


def _warmup(options: argparse.Namespace) -> None:
    from .warmup import run

    print(run(options.model, options.recipe, options.all, options.jobs))


def _doctor(options: argparse.Namespace) -> None:
    from .doctor import as_table, report

    print(as_table(report()))
