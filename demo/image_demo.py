"""Finds the hands of one picture and draws them: python demo/image_demo.py demo/hand.png drawn.png."""

import sys

from PIL import Image

import handkit

source, target = sys.argv[1:]
hands = handkit.pipeline("hand_2d_keypoints")(source)
print(hands.to_json())
Image.fromarray(handkit.draw(source, hands)).save(target)
