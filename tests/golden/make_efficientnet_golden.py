"""Makes efficientnet_lite0.npz by running the PyPI package efficientnet-lite-pytorch 0.1.0 on the rule below.

    python tests/golden/make_efficientnet_golden.py

needs that package in the environment of that python, not handkit. Written by torch 2.13 and numpy 2.4 on a CPU. Weights
are drawn by `mmdet_rule.state`. What it stores of an image of 67 x 90 pixels:

- ``keys`` and ``shapes``: the state dict's, the classifier's left out;
- ``features`` (8, 50): the outputs of the seven stages and of the last convolution, sampled evenly over the flat map.
"""

from __future__ import annotations

from pathlib import Path

import mmdet_rule
import numpy as np

HERE = Path(__file__).resolve().parent
#: The last block of each stage.
ENDS = (0, 2, 4, 7, 10, 14, 15)


def main() -> None:
    """Writes the file."""
    import torch
    from efficientnet_lite_pytorch import EfficientNet
    from efficientnet_lite_pytorch.utils import get_model_params

    blocks, settings = get_model_params("efficientnet-lite0", None)
    net = EfficientNet(blocks, settings._replace(image_size=None))  # pads for any size
    shapes = {key: tuple(value.shape) for key, value in net.state_dict().items()}
    net.load_state_dict({key: torch.from_numpy(np.asarray(value)) for key, value in mmdet_rule.state(shapes).items()})
    maps = []
    for end in ENDS:
        net._blocks[end].register_forward_hook(lambda part, given, out: maps.append(out))
    image = torch.from_numpy(mmdet_rule.images(1)[0][:67, :90]).permute(2, 0, 1)[None].float() / 255
    with torch.inference_mode():
        maps.append(net.eval().extract_features(image))
    own = [key for key in shapes if not key.startswith("_fc.")]
    features = [feature.numpy().ravel() for feature in maps]
    np.savez_compressed(
        HERE / "efficientnet_lite0.npz",
        keys=np.array(own),
        shapes=np.array([str(shapes[key]) for key in own]),
        features=np.stack([flat[np.linspace(0, len(flat) - 1, 50).astype(int)] for flat in features]),
    )


if __name__ == "__main__":
    main()
