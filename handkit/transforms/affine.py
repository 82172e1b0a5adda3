"""The step that cuts the hand out."""

from __future__ import annotations

from typing import ClassVar, Literal

from handkit.errors import ConfigError
from handkit.geometry import Border, Crop
from handkit.registry import TRANSFORMS
from handkit.transforms.base import Sample


@TRANSFORMS.register_module()
class TopDownAffine:
    """Replaces `img` by the crop of `box`, turned upright by `rotation`, and notes the `crop` itself.

    Args:
        input_size: (width, height) the network takes, in pixels.
        padding: the box is grown by this factor, then its short side lengthened to the input's aspect.
        use_udp: align corner pixels as UDP does; see `handkit.geometry.Crop`.
        antialias: average pixels before reducing an image to less than half; see `handkit.geometry.Crop`.
        border: what lies outside the image: black ('constant') or its edge repeated ('replicate').

    Raises:
        ConfigError: sizes or padding that are not positive.
    """

    stage: ClassVar[Literal["image"]] = "image"

    def __init__(
        self,
        input_size: tuple[int, int],
        padding: float = 1.25,
        use_udp: bool = False,
        border: Border = "constant",
        antialias: bool = True,
    ) -> None:
        if len(input_size) != 2 or min(input_size) <= 0 or padding <= 0:
            raise ConfigError(f"TopDownAffine needs positive sizes, got input_size={input_size}, padding={padding}")
        if border not in ("constant", "replicate"):
            raise ConfigError(f"TopDownAffine: border must be 'constant' or 'replicate', not {border!r}")
        self.input_size = (int(input_size[0]), int(input_size[1]))
        self.padding = padding
        self.use_udp = use_udp
        self.border: Border = border
        self.antialias = antialias

    def __call__(self, sample: Sample) -> Sample:
        """Sets `img` (h, w, 3) and `crop`."""
        rotation = float(sample.get("rotation", 0.0))
        crop = Crop.from_box(
            sample["box"], self.input_size, self.padding, rotation, self.border, self.use_udp, self.antialias
        )
        return {**sample, "img": crop.apply_image(sample["img"]), "crop": crop}
