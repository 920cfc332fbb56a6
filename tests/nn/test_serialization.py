"""Models in files."""

import json

import numpy as np
import pytest

from tilegrad import nn


@pytest.fixture
def model():
    return nn.models.DnCNN(depth=3, channels=4)


def test_round_trip(tmp_path, model):
    path, x = tmp_path / "model.safetensors", nn.randn((2, 8, 8, 1))
    model(x)
    nn.save(model, path, {"note": "small"})
    read = nn.load(path)
    assert isinstance(read, nn.models.DnCNN)
    assert read.configuration() == model.configuration()
    np.testing.assert_array_equal(model.eval()(x).detach(), read.eval()(x).detach())
    _, metadata = nn.load_file(path)
    assert metadata == {
        "note": "small",
        "format": "tilegrad",
        "format_version": "1",
        "layout": "OHWI",
        "model": "DnCNN",
        "configuration": json.dumps({"depth": 3, "channels": 4, "image_channels": 1, "batch_norm": True}),
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": None}, "a model expects format='tilegrad' and layout='OHWI' but got format=None"),
        ({"layout": "OIHW"}, "but got format='tilegrad', layout='OIHW'"),
        ({"format_version": "2"}, "this reads format version 1 but the file has '2'"),
        ({"model": "Module"}, "the model 'Module' is not on the list"),
        ({"model": None}, "the model '' is not on the list"),
        ({"configuration": "{"}, "the configuration does not make a DnCNN"),
        ({"configuration": '{"depth": 1}'}, "the configuration does not make a DnCNN: DnCNN: depth expects at least 2"),
        ({"configuration": '{"size": 1}'}, "the configuration does not make a DnCNN"),
        ({"configuration": '["depth"]'}, "the configuration does not make a DnCNN"),
        ({"configuration": '{"depth": 4, "channels": 4}'}, "missing names"),
        ({"configuration": '{"depth": 3, "channels": 5}'}, "expects shape"),
        ({"configuration": '{"depth": 2, "channels": 4}'}, "missing names"),
        ({"configuration": "[" * 100_000}, "the configuration does not make a DnCNN"),
        ({"model": "SRCNN", "configuration": '{"kernel_sizes": []}'}, "SRCNN: expects two channel counts"),
    ],
)
def test_files_that_do_not_hold_a_model(tmp_path, model, change, message):
    path = tmp_path / "file"
    nn.save(model, path)
    arrays, metadata = nn.load_file(path)
    metadata = {key: value for key, value in {**metadata, **change}.items() if value is not None}
    nn.save_file(arrays, path, metadata)
    with pytest.raises(ValueError, match=message):
        nn.load(path)


@pytest.mark.parametrize(
    ("model", "configuration", "message"),
    [
        (nn.models.DnCNN(3, 4), {"depth": 10**12, "channels": 4}, "missing names, network.2.conv.weight the first"),
        (nn.models.DnCNN(3, 4), {"depth": 3, "channels": 10**9}, r"network.0.weight expects shape \(1000000000, 3"),
        (nn.models.DnCNN(3, 4), {"depth": 3, "channels": 4, "image_channels": 10**9}, "network.0.weight expects shape"),
        (nn.models.SRCNN((4, 2)), {"channels": [4, 10**9]}, "conv2.weight expects shape"),
        (
            nn.models.SRCNN((4, 2)),
            {"channels": [4, 2], "kernel_sizes": [9, 1, 10**9 + 1]},
            "conv3.weight expects shape",
        ),
    ],
)
def test_a_file_cannot_ask_for_more_than_it_holds(tmp_path, model, configuration, message):
    path = tmp_path / "file"
    nn.save(model, path)
    arrays, metadata = nn.load_file(path)
    nn.save_file(arrays, path, {**metadata, "configuration": json.dumps(configuration)})
    with pytest.raises(ValueError, match=message):
        nn.load(path)


@pytest.mark.parametrize(
    "model",
    [
        nn.models.DnCNN(2, 4),
        nn.models.DnCNN(5, 4, batch_norm=False),
        nn.models.DnCNN(5, 4, image_channels=3),
        nn.models.SRCNN((4, 2), (9, 5, 5), image_channels=3),
    ],
)
def test_shapes_are_those_of_the_model(model):
    shapes = dict(type(model).shapes(**model.configuration()))
    assert shapes == {name: array.shape for name, array in model.state_dict().items()}


def test_saving_expects_a_model_of_the_list(tmp_path):
    with pytest.raises(ValueError, match="save: Conv2d is not on the list of models"):
        nn.save(nn.Conv2d(1, 1, 1), tmp_path / "file")


def test_own_models_come_onto_the_list(tmp_path):
    class Own(nn.models.Model):
        def __init__(self, width):
            self.weight = nn.Parameter(np.zeros(width, np.float32))

        def configuration(self):
            return {"width": len(self.weight)}

    try:
        nn.models.register_model(Own)
        assert nn.models.register_model(Own) is Own
        nn.save(Own(3), tmp_path / "file")
        assert nn.load(tmp_path / "file").weight.shape == (3,)
        with pytest.raises(ValueError, match="register_model: another model is named Own"):
            nn.models.register_model(type("Own", (nn.models.Model,), {}))
    finally:
        del nn.models.MODELS["Own"]
