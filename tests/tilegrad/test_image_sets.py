"""Sets of images: every form that --data takes, damaged files, and numbered batches."""

import gzip
import hashlib
import threading
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from tilegrad import downloads, image_sets
from tilegrad.batches import Ahead, Shuffled
from tilegrad.errors import TilegradError
from tilegrad.image_sets import ArraySet, FolderSet, Part, image_set, read_idx


def idx(array: np.ndarray) -> bytes:
    code = {np.dtype(dtype).newbyteorder("="): code for code, dtype in image_sets._IDX_TYPES.items()}[array.dtype]
    shape = b"".join(int(length).to_bytes(4, "big") for length in array.shape)
    return bytes([0, 0, code, array.ndim]) + shape + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    return {
        "train-images-idx3-ubyte": random.integers(0, 256, (7, 5, 4), np.uint8),
        "train-labels-idx1-ubyte": np.arange(7, dtype=np.uint8) % 3,
        "t10k-images-idx3-ubyte": random.integers(0, 256, (2, 5, 4), np.uint8),
        "t10k-labels-idx1-ubyte": np.array([2, 1], np.uint8),
    }


@pytest.mark.parametrize("form", ["plain", "gzip", "pointed"])
def test_idx_files_compressed_or_not(tmp_path: Path, arrays: dict[str, np.ndarray], form: str) -> None:
    for name, array in arrays.items():
        if form == "gzip":
            (tmp_path / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
        else:
            (tmp_path / (name.replace("-idx", ".idx") if form == "pointed" else name)).write_bytes(idx(array))
    train, test = image_set(tmp_path), image_set(tmp_path, "test")
    assert (len(train), train.shape, train.classes, len(test)) == (7, (5, 4, 1), ("0", "1", "2"), 2)
    np.testing.assert_array_equal(train.take([6, 0])[..., 0], arrays["train-images-idx3-ubyte"][[6, 0]])
    np.testing.assert_array_equal(test.labels, [2, 1])


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int16, np.int32, np.float32, np.float64])
def test_idx_of_every_type(tmp_path: Path, dtype: type) -> None:
    array = (np.arange(24).reshape(2, 3, 4) - 5).astype(dtype)
    (tmp_path / "a").write_bytes(idx(array))
    np.testing.assert_array_equal(read_idx(tmp_path / "a"), array)
    assert read_idx(tmp_path / "a").dtype == dtype


def test_damaged_idx_files_are_refused(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    whole = idx(arrays["train-images-idx3-ubyte"])
    for data, message in (
        (whole[:-1], r"expects \(7, 5, 4\) uint8 but holds 139 bytes"),
        (whole + b"0", "but holds 141 bytes"),
        (whole[:7], "is not an IDX file"),
        (b"", "is not an IDX file"),
        (b"\x89PNG....", "is not an IDX file"),
        (gzip.compress(whole)[:-20], "cannot be read"),
    ):
        (tmp_path / "a").write_bytes(data)
        with pytest.raises(TilegradError, match=message):
            read_idx(tmp_path / "a")
    (tmp_path / "train-images-idx3-ubyte").write_bytes(whole)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(np.zeros(3, np.uint8)))
    with pytest.raises(TilegradError, match="expects 7 labels but holds"):
        image_set(tmp_path)


def test_npz_files(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    images, labels = arrays["train-images-idx3-ubyte"], arrays["train-labels-idx1-ubyte"]
    np.savez(tmp_path / "keras.npz", x_train=images, y_train=labels[:, None], x_test=images[:2], y_test=labels[:2])
    assert (len(image_set(tmp_path / "keras.npz")), len(image_set(tmp_path / "keras.npz", "test"))) == (7, 2)
    rgba = np.zeros((3, 4, 4, 4), np.uint8)
    rgba[0, 0, 0] = 10, 20, 30, 255
    np.savez(tmp_path / "emoji.npz", images=rgba, names=np.array(["a", "b", "c"]))
    emoji = image_set(tmp_path / "emoji.npz")
    assert (emoji.shape, emoji.labels, emoji.classes) == ((4, 4, 3), None, ())
    assert image_set(tmp_path / "emoji.npz", "test") is None
    np.testing.assert_array_equal(emoji.take([0])[0, 0, :2], [[10, 20, 30], [255, 255, 255]])
    np.savez(tmp_path / "other.npz", pixels=images)
    with pytest.raises(TilegradError, match="expects an array named images or x_train but holds pixels"):
        image_set(tmp_path / "other.npz")
    np.savez(tmp_path / "float.npz", images=images.astype(float))
    with pytest.raises(TilegradError, match=r"expects images .* of uint8 but holds"):
        image_set(tmp_path / "float.npz")
    (tmp_path / "cut.npz").write_bytes((tmp_path / "keras.npz").read_bytes()[:100])
    with pytest.raises(TilegradError, match="cannot be read as an npz file"):
        image_set(tmp_path / "cut.npz")
    with pytest.raises(TilegradError, match=r"no such file or folder \(sets known by name: mnist, fashion-mnist\)"):
        image_set(tmp_path / "none")


def test_folders_of_pictures_and_of_classes(tmp_path: Path) -> None:
    pytest.importorskip("PIL", reason="needs pillow")
    from tilegrad.images import write_image

    for kind, value in (("cats", 10), ("dogs", 200)):
        (tmp_path / "classes" / kind).mkdir(parents=True)
        for number in range(2):
            write_image(tmp_path / "classes" / kind / f"{number}.png", np.full((40, 60, 3), value, np.uint8))
    classes = image_set(tmp_path / "classes", size=16, channels=3)
    assert (len(classes), classes.shape, classes.classes) == (4, (16, 16, 3), ("cats", "dogs"))
    assert classes.take([0, 3])[:, 8, 8, 1].tolist() == [10, 200]
    np.testing.assert_array_equal(classes.labels, [0, 0, 1, 1])

    assert image_set(tmp_path / "classes", "test") is None
    for part in ("train", "test"):
        (tmp_path / "parts" / part).mkdir(parents=True)
        write_image(tmp_path / "parts" / part / f"{part}.png", np.zeros((9, 9), np.uint8))
    assert image_set(tmp_path / "parts", "test").paths == [tmp_path / "parts" / "test" / "test.png"]

    flat = image_set(tmp_path / "classes" / "dogs", size=100)
    assert (flat.shape, flat.labels, flat.take([0]).max()) == ((100, 100, 1), None, 200)
    (tmp_path / "empty").mkdir()
    with pytest.raises(TilegradError, match="holds no pictures"):
        FolderSet(tmp_path / "empty", size=8, channels=1)
    for image in (np.full((9, 9), 65535, np.uint16), np.full((9, 9, 2), 255, np.uint8)):
        write_image(tmp_path / "empty" / "a.png", image)
        assert (FolderSet(tmp_path / "empty", size=8, channels=3).take([0]) == 255).all()


def test_a_digest_tells_sets_apart(tmp_path: Path) -> None:
    images = np.arange(64, dtype=np.uint8).reshape(4, 4, 4)
    sets = [ArraySet(images), ArraySet(images[:, ::-1]), Part(ArraySet(images), np.array([1, 2]))]
    sets += [ArraySet(images, np.arange(4)), ArraySet(images, np.arange(4) % 2)]
    assert len({one.digest() for one in sets}) == 5
    assert ArraySet(images.copy()).digest() == sets[0].digest()


def test_arrays_that_are_no_images_are_refused() -> None:
    with pytest.raises(ValueError, match="images expects"):
        ArraySet(np.zeros((2, 3), np.uint8))
    with pytest.raises(ValueError, match="labels expects"):
        ArraySet(np.zeros((2, 3, 3), np.uint8), np.zeros(3, np.int64))


def test_a_download_is_checked_kept_and_tried_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TILEGRAD_CACHE_DIR", str(tmp_path / "cache"))
    contents = idx(np.zeros((2, 3, 3), np.uint8))
    (tmp_path / "good").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "good" / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(contents))
    (tmp_path / "bad" / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(b"something else"))
    places = tuple((tmp_path / name).as_uri() + "/" for name in ("none", "bad", "good"))
    files = {"train-images-idx3-ubyte.gz": hashlib.sha256(contents).hexdigest()}
    monkeypatch.setitem(downloads.DOWNLOADS, "mnist", downloads.Download(places, files))
    assert len(image_set("mnist")) == 2

    def unreachable(*_: object, **__: object) -> None:
        raise AssertionError("asked for again")

    monkeypatch.setattr(urllib.request, "urlopen", unreachable)
    assert len(image_set("mnist")) == 2
    monkeypatch.undo()
    monkeypatch.setenv("TILEGRAD_CACHE_DIR", str(tmp_path / "other"))
    monkeypatch.setitem(downloads.DOWNLOADS, "mnist", downloads.Download(places[:2], files))
    with pytest.raises(TilegradError, match=r"cannot be downloaded .* another SHA-256"):
        image_set("mnist")
    assert list((tmp_path / "other" / "data" / "mnist").iterdir()) == []


def test_an_epoch_goes_through_all_images_in_its_own_order() -> None:
    order = Shuffled(10, 3, seed=5)
    epochs = [[i for b in range(3) for i in order.indices(3 * e + b)] for e in range(3)]
    for epoch in epochs:
        assert len(set(epoch)) == 9
        assert set(epoch) <= set(range(10))
    assert epochs[0] != epochs[1] != epochs[2]
    assert Shuffled(10, 3, seed=5).indices(7) == order.indices(7)
    assert Shuffled(10, 3, seed=6).indices(0) != order.indices(0)
    with pytest.raises(ValueError, match="batch expects 1 to 2"):
        Shuffled(2, 3, seed=0)


def test_batches_are_made_ahead_on_another_thread() -> None:
    made = []
    done = threading.Event()

    def make(number: int) -> int:
        made.append((number, threading.current_thread() is threading.main_thread()))
        if number == 1:
            done.set()
        if number == 5:
            raise OSError("cannot be read")
        return number

    with Ahead(make) as batches:
        assert batches.take(0) == 0
        assert done.wait(10)
        assert batches.take(1) == 1
        assert batches.take(4) == 4
        with pytest.raises(OSError, match="cannot be read"):
            batches.take(5)
    assert made[:2] == [(0, False), (1, False)]
