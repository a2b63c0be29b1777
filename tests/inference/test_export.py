"""The exported network is the network: in onnxruntime, on photographs, at any batch and size."""

import sys
from dataclasses import replace

import onnx
import onnxruntime
import pytest
import torch
from trained_like import photographs, trained_like

from vsodlib import VSODNet
from vsodlib.inference.export import SaliencyMap, export_onnx

SIZES = [(1, 240, 432), (2, 97, 131), (3, 131, 97), (1, 250, 333), (1, 16, 16)]


def run(path, images):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return torch.from_numpy(session.run(None, {"images": images.numpy()})[0])


@torch.no_grad()
def assert_same(net, path, size, atol=1e-4):
    images = photographs(*size)
    expected = net(images).logits.sigmoid()
    assert size[1] < 20 or expected.std() > 0.01
    torch.testing.assert_close(run(path, images), expected, atol=atol, rtol=0)


@pytest.fixture(scope="module", params=[False, True], ids=["float32", "float16"])
def bundled(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("onnx") / "lite.onnx"
    net = VSODNet.from_pretrained("lite-davis")
    assert export_onnx(net, path, half=request.param) == path
    return net, path, request.param


@pytest.mark.parametrize("size", SIZES)
def test_the_bundled_network_is_the_same(bundled, size):
    net, path, _ = bundled
    assert_same(net, path, size)


def test_the_file_is_small_checked_and_says_how_to_use_it(bundled):
    net, path, half = bundled
    weights = 4 * sum(p.numel() for p in net.parameters())
    assert path.stat().st_size < (0.54 if half else 1.01) * weights
    model = onnx.load(path)
    assert {p.key: p.value for p in model.metadata_props} == {
        "output_stride": "16",
        "input_height": "432",
    }
    kinds = {node.op_type for node in model.graph.node}
    assert half == ("BatchNormalization" in kinds)
    (images,), (saliency,) = model.graph.input, model.graph.output
    shapes = [
        [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim][:2]
        for v in (images, saliency)
    ]
    assert shapes[0] == ["batch", 3] and shapes[1][0] == "batch"


@pytest.mark.parametrize(
    "change",
    [
        {"backbone": "resnet18", "output_stride": 8},
        {"dynamic_filters": False, "decoder_channels": 4},
        {"self_attention": False, "skip_connections": False},
        {"co_attention": False, "gates": False},
    ],
    ids=str,
)
def test_other_networks(change, tiny_config, tmp_path):
    net = trained_like(replace(tiny_config, **change))
    path = export_onnx(net, tmp_path / "net.onnx")
    for size in SIZES[1:3]:
        assert_same(net, path, size)


def test_the_network_is_left_as_it_is(tiny_config, tmp_path):
    net = trained_like(tiny_config)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    export_onnx(net, tmp_path / "net.onnx", half=True)
    assert before.keys() == net.state_dict().keys()
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())


def test_refused(tiny_config, tmp_path, monkeypatch):
    path = tmp_path / "net.onnx"
    compares = VSODNet(replace(tiny_config, inter_frame_attention=True))
    with pytest.raises(ValueError, match="inter_frame_attention takes partners"):
        export_onnx(compares, path)
    with pytest.raises(OSError, match="cannot be written"):
        export_onnx(VSODNet(tiny_config), tmp_path)
    with pytest.raises(ValueError, match=r"name the ONNX file NAME\.onnx"):
        export_onnx(VSODNet(tiny_config), tmp_path / "last.safetensors")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ValueError, match=r"pip install 'vsodlib\[onnx\]'"):
        export_onnx(VSODNet(tiny_config), path)
    assert not list(tmp_path.iterdir())


@pytest.mark.filterwarnings("ignore")  # torch.jit is deprecated, and says what a trace fixes
@torch.no_grad()
def test_tracers_follow(tiny_config):
    net = trained_like(tiny_config)
    saliency = SaliencyMap(net)
    traced = torch.jit.trace(saliency, photographs(1, 64, 80))
    images = photographs(2, 97, 131)
    expected = net(images).logits.sigmoid()
    torch.testing.assert_close(traced(images), expected, atol=1e-5, rtol=0)
    exported = torch.export.export(saliency, (images,)).module()
    torch.testing.assert_close(exported(images), expected, atol=1e-5, rtol=0)
