"""Where OpenCV's images have their channels."""

from typing import Any

from ..images import check_image, leading_axes


def axis_of_channels(name: str, src: Any, batch_axes: Any) -> int | None:
    """The last axis of ``(H, W, C)``, none of ``(H, W)``; axes of a batch stand in front."""
    check_image(name, "src", src)
    axes = src.ndim - leading_axes(name, batch_axes, src.ndim)
    if axes not in (2, 3):
        raise ValueError(
            f"{name}: src expects (H, W) or (H, W, C) behind batch_axes = {batch_axes} axes but got shape {src.shape}"
        )
    return -1 if axes == 3 else None
