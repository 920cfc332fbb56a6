"""Data sets that are downloaded once, checked by SHA-256, and kept in the cache folder."""

import gzip
import hashlib
import shutil
import urllib.request
import zlib
from pathlib import Path
from typing import NamedTuple

from .errors import TilegradError
from .files import make_folder, replacing
from .kernels.machine.cache import cache_folder
from .training import say

_SECONDS = 30.0  # without an answer


class Download(NamedTuple):
    """Where the files of a set are, best place first, and the SHA-256 of what each holds when it is unpacked."""

    places: tuple[str, ...]
    files: dict[str, str]


DOWNLOADS = {
    # LeCun, Cortes and Burges: the MNIST database of handwritten digits. CC BY-SA 3.0.
    "mnist": Download(
        ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"),
        {
            "train-images-idx3-ubyte.gz": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "train-labels-idx1-ubyte.gz": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "t10k-images-idx3-ubyte.gz": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "t10k-labels-idx1-ubyte.gz": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        },
    ),
    # Xiao, Rasul and Vollgraf: Fashion-MNIST. MIT.
    "fashion-mnist": Download(
        ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
        {
            "train-images-idx3-ubyte.gz": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "train-labels-idx1-ubyte.gz": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "t10k-images-idx3-ubyte.gz": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "t10k-labels-idx1-ubyte.gz": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        },
    ),
}


def downloaded(name: str) -> Path:
    """The folder that holds a set's files; what is missing or damaged is downloaded.

    Raises
    ------
    TilegradError
        If a file can be had from none of its places; the line says of each why.
    """
    place = DOWNLOADS[name]
    folder = make_folder(cache_folder() / "data" / name)
    for file, digest in place.files.items():
        path = folder / file
        if not (path.is_file() and _digest(path) == digest):
            _download(path, [base + file for base in place.places], digest)
    return folder


def _download(path: Path, addresses: list[str], digest: str) -> None:
    reasons = []
    for address in addresses:
        say(f"downloading {address}")
        try:
            with replacing(path) as temporary:
                with urllib.request.urlopen(address, timeout=_SECONDS) as answer, temporary.open("wb") as file:
                    shutil.copyfileobj(answer, file)
                if _digest(temporary) != digest:
                    raise OSError("what came has another SHA-256 than expected")
            return
        except OSError as error:  # urllib's errors are OSErrors too
            reasons.append(f"{address}: {error}")
    raise TilegradError(
        f"{path.name}: cannot be downloaded ({'; '.join(reasons)}); put the file into {path.parent}, or name a folder "
        "that has it by --data"
    )


def _digest(path: Path) -> str | None:
    """SHA-256 of a gzip file's contents, or None where it is damaged. (Copies are packed in different ways.)"""
    found = hashlib.sha256()
    try:
        with gzip.open(path) as file:
            while block := file.read(1 << 20):
                found.update(block)
    except (OSError, EOFError, zlib.error):
        return None
    return found.hexdigest()
