"""Heads: a backbone's feature maps in, a dict of named outputs out (see `handkit.models.estimators`)."""

from handkit.models.heads.base import Head
from handkit.models.heads.binary import HandednessHead, PresenceHead
from handkit.models.heads.hrnetv2_head import HRNetV2Head
from handkit.models.heads.pose_handedness import PoseHandednessHead

__all__ = ["HRNetV2Head", "HandednessHead", "Head", "PoseHandednessHead", "PresenceHead"]
