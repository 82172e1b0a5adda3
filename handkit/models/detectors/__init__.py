"""Networks that find hands, in torch."""

from handkit.models.detectors.anchors import SSDAnchors
from handkit.models.detectors.assigner import MaxIoUAssigner
from handkit.models.detectors.selection import BoxSelection
from handkit.models.detectors.ssd_head import SSDHead
from handkit.models.detectors.ssd_neck import SSDNeck
from handkit.models.detectors.ssdlite import SSDLite

__all__ = ["BoxSelection", "MaxIoUAssigner", "SSDAnchors", "SSDHead", "SSDLite", "SSDNeck"]
