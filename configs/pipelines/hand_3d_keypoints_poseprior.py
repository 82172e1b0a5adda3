"""HandSegNet's crop + ScoreMapPoseNet + PosePrior (Zimmermann and Brox, ICCV 2017), for weights of one's own.

    handkit predict photo.jpg --task hand_3d_keypoints --model pipelines/hand_3d_keypoints_poseprior \
        --checkpoint PRIOR/best.safetensors --cfg-options detector.checkpoint=HANDSEGNET/best.safetensors --out-3d drawn

The bundle hand_3d_keypoints_poseprior runs so with handkit's weights.

PRIOR is what hand_3d_keypoints/poseprior_*_256x256 leave, HANDSEGNET what hand_segmentation/handsegnet_* do. A picture
has one hand, as in the paper: the largest piece of the mask; --max-hands takes more pieces, --box-threshold drops weak
ones.
"""

_base_ = ["../_base_/models/poseprior.py", "../_base_/detectors/handsegnet.py"]

_input_size = (256, 256)

task = "hand_3d_keypoints"
test_transforms = [
    dict(type="LoadImage"),
    dict(type="TopDownAffine", input_size=_input_size, padding=1.25),
    dict(type="MMToTensor"),
    dict(type="NormalizeTensor"),
    dict(type="PoseCollect", keys=("img",)),
]
checkpoint = None
codec = dict(type="GaussianHeatmap", input_size=_input_size, heatmap_size=(32, 32), sigma=2.0)
runtime = dict(type="TorchRuntime")
