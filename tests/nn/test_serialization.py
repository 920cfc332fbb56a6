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
