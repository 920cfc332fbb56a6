"""The commands that take pictures and need no model: filter, compare and degrade."""

import argparse
import re
from typing import Any

from .filter_options import add_filters
from .options import count, positive


def add_picture_commands(commands: Any) -> None:
    """Their parsers."""
    _add_filter(commands)
    _add_compare(commands)
    _add_degrade(commands)


def _add_filter(commands: Any) -> None:
    parser = commands.add_parser(
        "filter",
        help="classical filters: blur, median, edges, morphology, denoising, inpainting ...",
        description="Apply a classical filter to a picture; tilegrad filter NAME --help tells its options. The result "
        "has as many bits as the picture, and its alpha.",
    )
    add_filters(parser.add_subparsers(metavar="NAME", required=True), _filter)


def _add_compare(commands: Any) -> None:
    compare = commands.add_parser(
        "compare",
        help="PSNR, SSIM and differences of two pictures",
        description="Print PSNR, SSIM and the differences of two pictures of one size, the first of which is the true "
        "one.",
    )
    compare.add_argument("first", metavar="A", help="a picture")
    compare.add_argument("second", metavar="B", help="another one of the same size")
    compare.add_argument("--difference", metavar="FILE", help="write a picture of the absolute differences")
    compare.add_argument(
        "--gain", type=positive(), metavar="G", help="of that picture (default: makes the largest difference white)"
    )
    compare.add_argument("--json", metavar="FILE", help="write the figures to this file")
    compare.set_defaults(command=_compare)


def _add_degrade(commands: Any) -> None:
    from .degrade_steps import STEPS

    degrade = commands.add_parser(
        "degrade",
        help="damage a picture: noise, JPEG, lost blocks, scratches, tears, blur, fewer pixels",
        description="Damage a picture step by step, in the order in which the steps are written; each may be given "
        "several times. Where pixels are lost, the mask of them is written beside OUT, with -mask before the suffix.",
    )
    degrade.add_argument("source", metavar="IN", help="a picture")
    degrade.add_argument("target", metavar="OUT", help="the file to write")
    for kind, meaning in STEPS.items():
        degrade.add_argument(
            f"--{kind}", action=_InOrder, dest="steps", default=[], metavar=re.split(r"[:\[ ]", meaning)[0],
            help=meaning.replace("%", "%%"),
        )  # fmt: skip
    degrade.add_argument(
        "--seed", type=count(0, 2**62), default=0, metavar="N", help="of all random numbers (default 0)"
    )
    degrade.set_defaults(command=_degrade)


class _InOrder(argparse.Action):
    """Keeps the steps of all options in the order in which they are written."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option: str | None = None) -> None:
        from .degrade_steps import Step

        assert option is not None
        setattr(namespace, self.dest, [*getattr(namespace, self.dest), Step(option.lstrip("-"), str(values))])


def _filter(options: argparse.Namespace) -> None:
    from .filter_file import filter_file

    filter_file(options.filter, options.source, options.target, options, stretch=options.stretch)


def _compare(options: argparse.Namespace) -> None:
    from .compare import compare_files

    compare_files(
        options.first, options.second, difference=options.difference, gain=options.gain, json_file=options.json
    )


def _degrade(options: argparse.Namespace) -> None:
    from .degrade import degrade_file

    degrade_file(options.source, options.target, options.steps, seed=options.seed)
