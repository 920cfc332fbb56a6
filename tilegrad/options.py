"""Options of the command line: numbers that are checked, and those of the training recipes."""

import argparse
import math
from collections.abc import Callable
from dataclasses import asdict, fields
from importlib import import_module
from typing import Any

from .recipes.settings import ClassifySettings, DenoiseSettings, GANSettings


def positive(most: float | None = None) -> Callable[[str], float]:
    """Parses a number above 0."""

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


def count(least: int, most: int | None = None) -> Callable[[str], int]:
    """Parses a whole number."""

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


class Recipe:
    """The parser of one recipe: its options are the fields of its settings, and ``--resume``.

    An option that is not given leaves no trace, so that ``--resume`` knows what was given.
    """

    def __init__(self, recipes: Any, name: str, settings: Any, **texts: str) -> None:
        self.name, self.settings = name, settings
        self.defaults = asdict(settings())
        self.parser = recipes.add_parser(name, argument_default=argparse.SUPPRESS, **texts)
        self.parser.add_argument(
            "--resume", action="store_true", default=False,
            help="go on with the run in --out that was stopped, with the settings that it was begun with; the result "
            "has the same bits as if it had not been stopped",
        )  # fmt: skip
        self.parser.set_defaults(command=self.run)
        self.option("out", "folder for the results, made if missing", metavar="DIR")
        self.option("epochs", "epochs to train for", type=count(1), metavar="N")
        self.option(
            "device", "where it trains: cuda is a GPU, and needs the package's extra cuda13 or cuda12",
            choices=("cpu", "cuda"),
        )  # fmt: skip
        self.option(
            "precision", "what matrix kernels on a GPU, from sm_80, may round the factors of their products to",
            choices=("float32", "3xtf32", "tf32", "bfloat16"),
        )  # fmt: skip
        self.option(
            "seed", "of all random numbers; the same seed gives the same bits", type=count(0, 2**63 - 1), metavar="N"
        )

    def option(self, name: str, meaning: str, **settings: Any) -> None:
        default = self.defaults[name]
        if isinstance(default, bool):
            settings["action"] = argparse.BooleanOptionalAction
            default = "yes" if default else "no"
        shown = (
            ""
            if default is None
            else f" (default {default:g})"
            if isinstance(default, float)
            else f" (default {default})"
        )
        self.parser.add_argument(
            f"--{name.replace('_', '-')}", default=argparse.SUPPRESS, help=meaning + shown, **settings
        )

    def run(self, options: argparse.Namespace) -> None:
        recipe = import_module(f"{__package__}.recipes.{self.name}")
        given = {field.name: getattr(options, field.name) for field in fields(self.settings) if field.name in options}
        if options.resume:
            from .fitting import resumed_settings

            given = resumed_settings(self.name, given.get("out", self.settings.out), given, self.defaults)
        recipe.run(self.settings(**given), resume=options.resume)


def add_recipes(recipes: Any) -> None:
    """The recipes of `tilegrad train`."""
    _denoise(Recipe(
        recipes, "denoise", DenoiseSettings,
        help="a small DnCNN that takes noise out of gray pictures",
        description="Train a small DnCNN to take Gaussian noise out of gray pictures: without arguments on the "
        "photographs that scikit-image carries, in about five minutes on two processor cores. Ctrl-C stops the "
        "training; --resume goes on with it.",
        epilog="Files in the --out folder: model.safetensors (the trained model, for tilegrad restore), log.jsonl (a "
        "record for each epoch), curves.png (loss, PSNR and SSIM over the epochs), before-after.png (held-out "
        "pictures: clean, noisy, best Gaussian filter, network). They replace those of an earlier run. While it "
        "trains, checkpoint.safetensors has all that --resume needs.",
    ))  # fmt: skip
    _gan(Recipe(
        recipes, "gan", GANSettings,
        help="a DCGAN that makes images like those that it is shown",
        description="Train a DCGAN: without arguments on 32 x 32 patches of the textures that scikit-image carries. "
        "Ctrl-C stops the training; --resume goes on with it.",
        epilog="Files in the --out folder: generator.safetensors (for tilegrad generate), samples.png and a folder "
        "samples with those of each epoch, losses.png, log.jsonl (a record for each epoch). While it trains, "
        "checkpoint.safetensors has all that --resume needs.",
    ))  # fmt: skip
    _classify(Recipe(
        recipes, "classify", ClassifySettings,
        help="a small convolutional network that tells classes of images apart",
        description="Train a classifier of three convolutions on labelled images, and measure it on the test images; "
        "where a set has none, on one image in eight, which is held out. Ctrl-C stops the training; --resume goes on "
        "with it.",
        epilog="Files in the --out folder: model.safetensors, curves.png (loss and accuracy over the epochs), "
        "mistakes.png (test images that it takes for another class), log.jsonl (a record for each epoch). While it "
        "trains, checkpoint.safetensors has all that --resume needs.",
    ))  # fmt: skip


def _denoise(recipe: Recipe) -> None:
    recipe.option(
        "data", "a folder of pictures to train on; one in eight is held out for measuring (default: the photographs in "
        "scikit-image, of which camera, coffee and chelsea are held out)", metavar="DIR",
    )  # fmt: skip
    recipe.option(
        "sigma", "standard deviation of the noise, for pixels from 0 to 255", type=positive(1000), metavar="S"
    )
    recipe.option("blind", "learn noise of every strength from 0 to twice --sigma; measure at --sigma")
    recipe.option("steps", "batches in an epoch", type=count(1), metavar="N")
    recipe.option("batch", "patches in a batch", type=count(1), metavar="N")
    recipe.option("patch", "side of a patch in pixels", type=count(8), metavar="N")
    recipe.option("depth", "convolutions in the network", type=count(2), metavar="N")
    recipe.option("channels", "channels of each hidden layer", type=count(1, 65536), metavar="N")
    recipe.option("batch_norm", "normalise between the convolutions")
    recipe.option(
        "lr", "highest learning rate of Adam; it falls to 0 along half a cosine", type=positive(), metavar="R"
    )


_DATA = (
    "a folder of IDX files, of pictures, or of folders of pictures, one for each class; an .npz file; or the name of a "
    "set that is downloaded: mnist, fashion-mnist"
)


def _images(recipe: Recipe) -> None:
    recipe.option("steps", "batches in an epoch; 0: as many as go through all images once", type=count(0), metavar="N")
    recipe.option("batch", "images in a batch", type=count(2), metavar="N")
    recipe.option("colour", "read a folder's pictures in colour")
    recipe.option("channels", "channels of the first convolution", type=count(1, 65536), metavar="N")


def _gan(recipe: Recipe) -> None:
    recipe.option("data", f"{_DATA} (default: patches of scikit-image's textures)", metavar="SET")
    _images(recipe)
    recipe.option("size", "side of the images made from pictures: 28, 32 or 64", type=int, choices=(28, 32, 64))
    recipe.option(
        "hidden", "features of the linear layers that join the parts of images below 64 pixels", type=count(0, 65536),
        metavar="N",
    )  # fmt: skip
    recipe.option("latent", "length of the random vectors", type=count(1, 65536), metavar="N")
    recipe.option("lr", "learning rate of Adam", type=positive(), metavar="R")
    recipe.option("ema", "how much of the generator's average a step keeps", type=_share, metavar="D")


def _classify(recipe: Recipe) -> None:
    recipe.option("data", _DATA, metavar="SET")
    _images(recipe)
    recipe.option("size", "side of the images made from pictures", type=count(18, 1024), metavar="N")
    recipe.option(
        "lr", "highest learning rate of Adam; it falls to 0 along half a cosine", type=positive(), metavar="R"
    )


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"expects a number from 0 to below 1 but is {text!r}")
    return value
