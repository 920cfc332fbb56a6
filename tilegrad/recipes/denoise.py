"""`tilegrad train denoise`: a small DnCNN learns to take Gaussian noise out of photographs.

The network sees a noisy patch and gives the clean one; the loss is their mean squared difference. Noise and patches
are functions of the seed and of a running number, so a run repeats bit for bit.

Source: Zhang, Zuo, Chen, Meng and Zhang, Beyond a Gaussian Denoiser: Residual Learning of Deep CNN for Image
Denoising, 2017.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from .. import kernels, nn
from .._version import __version__
from ..batches import Ahead
from ..comparison import Filtered, Pair, Scores, best_gaussian, mean, measure, table
from ..datasets import Patches, Pictures, folder_pictures, photographs
from ..errors import TilegradError
from ..extras import require, require_device
from ..files import check_writable, make_folder
from ..fitting import CHECKPOINT, Fit, compile_kernels
from ..pictures import save_before_after, save_curves
from ..restore import restore_array
from ..training import CtrlC, RunLog, cosine, say
from .settings import DenoiseSettings

# Philox counters at which each use of random numbers begins; none runs into the next. Initial weights begin at 0.
_PATCHES, _NOISE, _HELD_OUT_NOISE, _STRENGTHS = 1 << 60, 1 << 61, 1 << 62, 3 << 61
_HELD_OUT_SEED = 0  # the held-out pictures carry the same noise whatever the run's seed, so that runs compare
_WRITTEN = ("model.safetensors", "log.jsonl", "curves.png", "before-after.png")
_SHOWN = 3  # held-out pictures in before-after.png


Batch = tuple[np.ndarray, np.ndarray]


class NoisyPatches:
    """Numbered batches of patches: noisy ones, and the same clean."""

    def __init__(self, settings: DenoiseSettings, pictures: Pictures) -> None:
        self.settings = settings
        self.patches = Patches(
            list(pictures.training.values()), patch=settings.patch, seed=settings.seed, counter=_PATCHES
        )
        self._noise_blocks = kernels.random_blocks(settings.batch * settings.patch**2, "normal")
        self._strength_blocks = kernels.random_blocks(settings.batch, "uniform")

    def take(self, number: int) -> Batch:
        """Batch ``number``, counted from 0: two arrays (N, patch, patch, 1), float32."""
        settings = self.settings
        clean = self.patches.take(number * settings.batch, settings.batch)
        std: Any = settings.sigma / 255.0
        counter = _NOISE + number * self._noise_blocks
        if not settings.blind:
            return kernels.add_noise(clean, seed=settings.seed, counter=counter, std=std), clean
        noise = kernels.random_normal(clean.shape, seed=settings.seed, counter=counter)
        counter = _STRENGTHS + number * self._strength_blocks
        strengths = kernels.random_uniform((settings.batch, 1, 1, 1), seed=settings.seed, counter=counter)
        return clean + noise * (strengths * np.float32(2 * std)), clean


class Training:
    """A model, its optimiser, the numbered batches that it learns from, and the pictures that it is measured on."""

    def __init__(
        self, settings: DenoiseSettings, batches: NoisyPatches | Ahead[Batch], pairs: Mapping[str, Pair]
    ) -> None:
        self.settings, self.batches, self.pairs = settings, batches, pairs
        self.total = settings.epochs * settings.steps
        nn.manual_seed(settings.seed)
        self.model = nn.models.DnCNN(settings.depth, settings.channels, batch_norm=settings.batch_norm)
        self.model.to(settings.device)
        self.optimiser = nn.optim.Adam(self.model.parameters(), lr=settings.lr)
        self._learn = nn.capture(self._learn_from)

    def step(self, number: int) -> dict[str, nn.Tensor]:
        """Train on batch ``number``, counted from 0; its loss before the step."""
        noisy, clean = (nn.Tensor(images).to(self.settings.device) for images in self.batches.take(number))
        self.model.train()
        self.optimiser.param_groups[0]["lr"] = self._rate(number)
        with kernels.precision(self.settings.precision):
            return self._learn(noisy, clean)

    def _learn_from(self, noisy: nn.Tensor, clean: nn.Tensor) -> dict[str, nn.Tensor]:
        self.optimiser.zero_grad()
        loss = nn.functional.mse_loss(self.model(noisy), clean)
        loss.backward()
        self.optimiser.step()
        return {"loss": loss.detach()}

    def _rate(self, number: int) -> float:
        return cosine(number, self.total, highest=self.settings.lr, warm_up=self.total // 50)

    def epoch_ended(self, record: dict[str, Any]) -> dict[str, Any]:
        """Restore the held-out pictures and save the model."""
        found = mean(measure(self.pairs[name].clean, image) for name, image in self.restore().items())
        nn.save(self.model, Path(self.settings.out) / "model.safetensors")
        return {"lr": self._rate(record["epoch"] * self.settings.steps - 1), **asdict(found)}

    def line(self, record: Mapping[str, Any]) -> str:
        epochs = self.settings.epochs
        return (
            f"epoch {record['epoch']:{len(str(epochs))}}/{epochs}  loss {record['loss']:.6f}  "
            f"{record['images_per_second']:6.0f} images/s  PSNR {record['psnr']:.2f} dB  SSIM {record['ssim']:.4f}  "
            f"({record['seconds']:.1f} s)"
        )

    def restore(self) -> dict[str, np.ndarray]:
        """What the network makes of each noisy picture."""
        self.model.eval()
        try:
            return {name: restore_array(self.model, pair.noisy) for name, pair in self.pairs.items()}
        except FloatingPointError as error:
            raise TilegradError("the network's weights are no longer finite; a smaller --lr may help") from error

    def state_dict(self) -> dict[str, Any]:
        return {"model": self.model.state_dict(), "optimiser": self.optimiser.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])


def run(settings: DenoiseSettings, *, resume: bool = False) -> Scores:
    """Train, measure, and leave model.safetensors, log.jsonl, curves.png and before-after.png in ``settings.out``.

    Parameters
    ----------
    settings : DenoiseSettings
    resume : bool
        Go on with the run in ``settings.out``, which was begun with the same settings and pictures and was stopped:
        the result has the same bits as that of a run that was not.

    Returns
    -------
    Scores
        Mean PSNR (dB) and SSIM of the network on the held-out pictures.

    Raises
    ------
    TilegradError
        If pictures cannot be read, files cannot be written, a package is missing, the training diverges, or there is
        nothing to resume.
    TrainingInterruptedError
        After Ctrl-C; the message names the checkpoint.
    """
    require("matplotlib.figure", "tilegrad train")
    require_device(settings.device)
    folder = make_folder(settings.out)
    for name in (*_WRITTEN, CHECKPOINT):
        check_writable(folder / name)
    pairs, pictures = _pictures(settings)
    compile_kernels(lambda: rehearse(replace(settings, device="cpu")))
    facts = {"recipe": "denoise", **_facts(settings, pictures)}
    with Ahead(NoisyPatches(settings, pictures).take) as batches, CtrlC() as ctrl_c:
        training = Training(settings, batches, pairs)
        fit = Fit(training, folder, facts, settings)
        if resume:
            fit.resume()
        weights = sum(parameter.size for parameter in training.model.parameters())
        say(f"DnCNN of {settings.depth} layers and {settings.channels} channels, {weights:,} weights")
        with RunLog(folder / "log.jsonl") as log:
            log.write({"kind": "run", "tilegrad": __version__, **facts})
            scores = _train(fit, training, log, ctrl_c)
    (folder / CHECKPOINT).unlink()
    say("\nheld-out pictures\n" + table(scores))
    say(f"\nwritten to {folder}: {', '.join(_WRITTEN)}")
    return mean(scores["network"].values())


def _train(fit: Fit, training: Training, log: RunLog, ctrl_c: CtrlC) -> dict[str, dict[str, Scores]]:
    """Train to the end, draw what came of it, and measure it beside the noisy pictures and the best Gaussian filter."""
    pairs, settings = training.pairs, training.settings
    gaussian = {name: best_gaussian(pair) for name, pair in pairs.items()}
    scores = {
        "noisy": {name: measure(pair.clean, pair.noisy) for name, pair in pairs.items()},
        "best Gaussian filter": {name: found.scores for name, found in gaussian.items()},
    }
    try:
        fit.run(log, ctrl_c)
    finally:
        if fit.records:
            level = asdict(mean(scores["best Gaussian filter"].values()))
            title = f"denoise: sigma {settings.sigma:g}, seed {settings.seed}"
            save_curves(fit.folder / "curves.png", fit.records, {"best Gaussian filter": level}, title=title)
    restored = training.restore()
    scores["network"] = {name: measure(pairs[name].clean, image) for name, image in restored.items()}
    log.write({"kind": "result", **{label: asdict(mean(row.values())) for label, row in scores.items()},
               "gaussian_sigma": {name: found.sigma for name, found in gaussian.items()}})  # fmt: skip
    _draw(fit.folder / "before-after.png", pairs, gaussian, restored, scores)
    return scores


def rehearse(settings: DenoiseSettings) -> None:
    """Everything that a run computes, once and on one picture: what `kernels.warmup` is to compile kernels for."""
    picture = np.zeros((max(settings.patch, 512),) * 2, np.float32)
    pair = Pair(picture, kernels.add_noise(picture, seed=0))
    kernels.random_permutation(2, seed=0)  # chooses what is held out of a folder
    best_gaussian(pair)
    patches = NoisyPatches(settings, Pictures({"picture": picture}, {"picture": picture}))
    training = Training(settings, patches, {"picture": pair})
    training.step(0)
    training.restore()


def _pictures(settings: DenoiseSettings) -> tuple[dict[str, Pair], Pictures]:
    """Read the pictures, put noise on the held-out ones, and say what is used for what."""
    if settings.data is None:
        pictures = photographs()
    else:
        smallest = max(settings.patch, 16)
        pictures = folder_pictures(settings.data, smallest=smallest, seed=settings.seed)
        if pictures.left_out:
            say(f"left out, smaller than {smallest} x {smallest}: {_list(pictures.left_out)}")
    say(f"training on {len(pictures.training)} pictures: {_list(pictures.training)}")
    say(f"held out for measuring: {_list(pictures.held_out)}")
    pairs, counter = {}, _HELD_OUT_NOISE
    for name, clean in pictures.held_out.items():
        noisy = kernels.add_noise(clean, seed=_HELD_OUT_SEED, counter=counter, std=settings.sigma / 255.0)
        counter += kernels.random_blocks(clean.size, "normal")
        pairs[name] = Pair(clean, noisy)
    return pairs, pictures


def _list(names: Any, most: int = 12) -> str:
    listed = list(names)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more


def _facts(settings: DenoiseSettings, pictures: Pictures) -> dict[str, Any]:
    chosen = {name: value for name, value in asdict(settings).items() if name not in ("out", "data")}
    digest = hashlib.sha256()
    for picture in pictures.training.values():
        digest.update(picture.tobytes())
    names = {"training": list(pictures.training), "held_out": list(pictures.held_out)}
    return {**chosen, **names, "pictures": digest.hexdigest()}


def _draw(
    path: Path,
    pairs: Mapping[str, Pair],
    gaussian: Mapping[str, Filtered],
    restored: Mapping[str, np.ndarray],
    scores: Mapping[str, Mapping[str, Scores]],
) -> None:
    rows = []
    for name, pair in list(pairs.items())[:_SHOWN]:
        noisy, smooth, network = (scores[label][name].psnr for label in ("noisy", "best Gaussian filter", "network"))
        rows.append([
            (f"{name}, clean", pair.clean),
            (f"noisy: {noisy:.2f} dB", pair.noisy),
            (f"Gaussian, sigma {gaussian[name].sigma:.1f}: {smooth:.2f} dB", gaussian[name].image),
            (f"network: {network:.2f} dB", restored[name]),
        ])  # fmt: skip
    save_before_after(path, rows)
