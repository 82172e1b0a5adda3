"""Networks that find hands, in torch."""

from handkit.models.detectors.anchors import SSDAnchors
from handkit.models.detectors.assigner import MaxIoUAssigner
from handkit.models.detectors.cspnext_pafpn import CSPNeXtPAFPN
from handkit.models.detectors.rtmdet import RTMDet
from handkit.models.detectors.rtmdet_head import RTMDetSepBNHead
from handkit.models.detectors.selection import BoxSelection
from handkit.models.detectors.ssd_head import SSDHead
from handkit.models.detectors.ssd_neck import SSDNeck
from handkit.models.detectors.ssdlite import SSDLite

__all__ = [
    "BoxSelection",
    "CSPNeXtPAFPN",
    "MaxIoUAssigner",
    "RTMDet",
    "RTMDetSepBNHead",
    "SSDAnchors",
    "SSDHead",
    "SSDLite",
    "SSDNeck",
]
