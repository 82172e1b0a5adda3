"""CVAT for images 1.1: one XML file with a skeleton per hand.

CVAT counts from the picture's edge, so 0.5 is added to every coordinate. A joint is `outside` where it is not labelled
and `occluded` where it is hidden. The side and the crowd flag are attributes of the skeleton. A skeleton has no box of
its own: the hand's is a `box` in the same group.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from handkit.datasets.exchange.labelled import LabelledHand, LabelledImage, Labels, Lost, check_joints, joint_order
from handkit.errors import DataError
from handkit.files import writing
from handkit.skeleton import HAND

Array = NDArray[Any]
Element = ElementTree.Element
_LABEL, _BOX, _DRAWN = HAND.name, "hand box", "drawn box"
_EDGE = 0.5


def write_cvat(labels: Labels, path: Path) -> list[str]:
    """Writes the XML.

    Returns:
        What the format cannot hold.
    """
    lost = Lost()
    lost.extras(labels)
    root = ElementTree.Element("annotations")
    _text(root, "version", "1.1")
    _describe(ElementTree.SubElement(root, "meta"))
    group = 0
    for number, image in enumerate(labels.images):
        width, height = map(str, image.size)
        node = ElementTree.SubElement(root, "image", id=str(number), name=image.name, width=width, height=height)
        for hand in image.hands:
            group += 1
            _write_hand(node, hand, group)
        for box in image.drawn:
            _write_box(node, box, _DRAWN, 0)
    ElementTree.indent(root, " ")
    with writing(path) as file:
        ElementTree.ElementTree(root).write(file, "utf-8", xml_declaration=True)
    return lost.lines()


def _describe(meta: Element) -> None:
    """The labels that a CVAT project needs before these annotations can be uploaded."""
    labels = ElementTree.SubElement(ElementTree.SubElement(meta, "task"), "labels")
    hand = ElementTree.SubElement(labels, "label")
    _text(hand, "name", _LABEL)
    _text(hand, "type", "skeleton")
    attributes = ElementTree.SubElement(hand, "attributes")
    for name, kind, default, values in (
        ("side", "select", "unknown", "unknown\nleft\nright"),
        ("crowd", "checkbox", "false", "false\ntrue"),
    ):
        attribute = ElementTree.SubElement(attributes, "attribute")
        for tag, text in (("name", name), ("mutable", "False"), ("input_type", kind), ("default_value", default)):
            _text(attribute, tag, text)
        _text(attribute, "values", values)
    for joint in HAND.joints:
        label = ElementTree.SubElement(labels, "label")
        for tag, text in (("name", joint), ("type", "points"), ("parent", _LABEL)):
            _text(label, tag, text)
    for name in (_BOX, _DRAWN):
        label = ElementTree.SubElement(labels, "label")
        _text(label, "name", name)
        _text(label, "type", "rectangle")


def _write_hand(image: Element, hand: LabelledHand, group: int) -> None:
    node = ElementTree.SubElement(image, "skeleton", label=_LABEL, source="manual", z_order="0", group_id=str(group))
    for joint, (x, y, v) in zip(HAND.joints, hand.joints.tolist(), strict=True):
        flags = {"outside": str(int(v == 0)), "occluded": str(int(v == 1))}
        place = f"{x + _EDGE:.3f},{y + _EDGE:.3f}"
        ElementTree.SubElement(node, "points", {"label": joint, "source": "manual", **flags, "points": place})
    _text(node, "attribute", hand.side or "unknown", name="side")
    _text(node, "attribute", str(hand.crowd).lower(), name="crowd")
    if hand.box is not None:
        _write_box(image, hand.box, _BOX, group)


def _write_box(image: Element, box: Array, label: str, group: int) -> None:
    corners = {key: f"{v + _EDGE:.3f}" for key, v in zip(("xtl", "ytl", "xbr", "ybr"), box.tolist(), strict=True)}
    grouped = {"group_id": str(group)} if group else {}
    fixed = {"label": label, "source": "manual", "occluded": "0", "z_order": "0"}
    ElementTree.SubElement(image, "box", {**fixed, **corners, **grouped})


def _text(parent: Element, tag: str, text: str, **attributes: str) -> None:
    ElementTree.SubElement(parent, tag, attributes).text = text


def read_cvat(path: Path) -> Labels:
    """Reads the XML; joints are taken by their names, wherever they stand.

    Raises:
        DataError: no such XML, or a hand without the 21 names; the message names the image.
    """
    try:
        data = path.read_bytes()
        if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
            raise DataError(f"{path}: declares entities, as no export of CVAT does; it is not read")
        root = ElementTree.fromstring(data)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
    except ElementTree.ParseError as error:
        raise DataError(f"{path}: not an XML file: {error}") from None
    if root.tag != "annotations" or root.find("track") is not None:
        raise DataError(f"{path}: not 'CVAT for images 1.1': export the task in that format, not as a video")
    images, strange = [], Lost()
    for node in root.iter("image"):
        images.append(_read_image(node, f"{path}: image {node.get('name')!r}", strange))
    return Labels(images, [f"not read: {line}" for line in strange.lines()])


def _read_image(node: Element, where: str, strange: Lost) -> LabelledImage:
    try:
        image = LabelledImage(str(node.attrib["name"]), (int(node.attrib["width"]), int(node.attrib["height"])))
    except (KeyError, ValueError):
        raise DataError(f"{where}: needs name, width and height") from None
    boxes: dict[str, Array] = {}
    drawn = []
    for shape in node:
        if shape.tag == "box" and shape.get("label") == _BOX and shape.get("group_id"):
            boxes[shape.attrib["group_id"]] = _read_box(shape, where)
        elif shape.tag == "box" and shape.get("label") == _DRAWN:
            drawn.append(_read_box(shape, where))
        elif shape.tag != "skeleton":
            strange.add(f"shapes <{shape.tag}> of the label {shape.get('label')!r}")
    for shape in node.iter("skeleton"):
        hand = _read_hand(shape, where)
        hand.box = boxes.get(shape.get("group_id", ""))
        image.hands.append(hand)
    image.drawn = np.array(drawn, np.float64).reshape(-1, 4)
    return image


def _read_box(shape: Element, where: str) -> Array:
    try:
        box = np.array([float(shape.attrib[key]) for key in ("xtl", "ytl", "xbr", "ybr")]) - _EDGE
        rotation = float(shape.get("rotation", 0))
    except (KeyError, ValueError):
        raise DataError(f"{where}: a box needs the numbers xtl, ytl, xbr and ybr, and rotation, if any") from None
    if rotation:
        raise DataError(f"{where}: a box is rotated; hands have upright boxes: set its rotation to 0")
    return box


def _read_hand(shape: Element, where: str) -> LabelledHand:
    points = list(shape.iter("points"))
    order = joint_order([point.get("label", "") for point in points], f"{where}: skeleton {shape.get('label')!r}")
    rows = []
    for point in points:
        try:
            x, y = (float(value) - _EDGE for value in point.attrib["points"].split(","))
        except (KeyError, ValueError):
            raise DataError(f"{where}: the joint {point.get('label')!r} needs one place 'x,y'") from None
        v = 0 if point.get("outside") == "1" else 1 if point.get("occluded") == "1" else 2
        rows.append((x, y, v))
    notes = {node.get("name"): (node.text or "").strip() for node in shape.iter("attribute")}
    side = notes.get("side", "unknown")
    if side not in ("left", "right", "unknown"):
        raise DataError(f"{where}: the attribute side must be left, right or unknown, not {side!r}")
    joints = check_joints(np.array(rows)[order], where)
    return LabelledHand(joints, None, None if side == "unknown" else side, notes.get("crowd") == "true")
