"""One self-contained HTML page: its frame, its tables, and pictures inside it. It asks no network for anything."""

from __future__ import annotations

import base64
import html
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from handkit.files import writing

Array = NDArray[Any]
_QUALITY = 82


@dataclass(frozen=True)
class Section:
    """A part of a page.

    Args:
        title: its heading, which the page's list of contents shows too.
        body: HTML.
        note: a line of plain text under the heading.
    """

    title: str
    body: str
    note: str = ""


def escape(text: object) -> str:
    """Text as HTML shows it, in an element or in a quoted attribute."""
    return html.escape(str(text), quote=True)


def image_uri(image: Array, quality: int = _QUALITY) -> str:
    """(H, W, 3) uint8 RGB -> a JPEG as a data URI; (H, W, 4) RGBA -> a PNG."""
    opaque = image.shape[2] == 3
    options = [cv2.IMWRITE_JPEG_QUALITY, quality] if opaque else []
    bgr = image[..., ::-1] if opaque else image[..., [2, 1, 0, 3]]
    done, data = cv2.imencode(".jpg" if opaque else ".png", bgr, options)
    if not done:
        raise ValueError(f"no picture of an array of shape {image.shape} and type {image.dtype}")
    return f"data:image/{'jpeg' if opaque else 'png'};base64,{base64.b64encode(np.asarray(data).tobytes()).decode()}"


def figure(image: Array, caption: str = "", title: str = "") -> str:
    """A picture with a caption; `title` is what the mouse shows over it."""
    height, width = image.shape[:2]
    label = escape(title or caption)
    return (
        f'<figure><img src="{image_uri(image)}" width="{width}" height="{height}" alt="{label}" title="{label}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def gallery(figures: Sequence[str]) -> str:
    """Figures of one size beside and below each other."""
    return f'<div class="gallery">{"".join(figures)}</div>'


def table(head: Sequence[str], rows: Sequence[Sequence[str]], texts: int = 1) -> str:
    """A table; cells are HTML, the first `texts` columns stand left, numbers right."""

    def cells(row: Sequence[str], tag: str) -> str:
        return "".join(
            f"<{tag}{'' if column < texts else ' class=n'}>{cell}</{tag}>" for column, cell in enumerate(row)
        )

    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{cells(head, "th")}</tr></thead><tbody>{body}</tbody></table></div>'


def bar(share: float | None, text: str, kind: str = "") -> str:
    """A number behind a bar as long as its share, 0 .. 1, of the column; None: no bar."""
    if share is None:
        return escape(text)
    width = 100 * min(max(share, 0.0), 1.0)
    return f'<span class="bar {kind}"><i style="width:{width:.1f}%"></i></span>{escape(text)}'


def page(title: str, lines: Sequence[str], sections: Sequence[Section]) -> str:
    """The whole page.

    Args:
        title: the heading and the window's title.
        lines: lines of plain text under it.
        sections: in their order.
    """
    contents = "".join(
        f'<a href="#s{number}">{escape(section.title)}</a>' for number, section in enumerate(sections, 1)
    )
    parts = "".join(
        f'<section id="s{number}"><h2>{escape(section.title)}</h2>'
        + (f'<p class="note">{escape(section.note)}</p>' if section.note else "")
        + f"{section.body}</section>"
        for number, section in enumerate(sections, 1)
    )
    nav = f"<nav>{contents}</nav>" if len(sections) > 1 else ""
    about = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><header><h1>{escape(title)}</h1>{about}</header>"
        f"{nav}<main>{parts}</main></body></html>\n"
    )


def write_page(path: str | os.PathLike[str], text: str) -> None:
    """Writes a page, whole or not at all."""
    with writing(path, "w") as file:
        file.write(text)


_STYLE = """
:root{color-scheme:light dark;--bg:#fbfbfa;--card:#fff;--ink:#1d2125;--soft:#626a73;--line:#e3e5e8;--blue:#2f6fd0;
--orange:#d9742b;--green:#2f8f5b;--red:#c8413b;--tint:#eef3fb}
@media(prefers-color-scheme:dark){:root{--bg:#15181c;--card:#1d2126;--ink:#e7e9ec;--soft:#9aa3ad;--line:#323840;
--blue:#6ea3f0;--orange:#f0a060;--green:#62c08c;--red:#ef7a74;--tint:#222b38}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
header,main{max-width:1080px;margin:0 auto;padding:0 24px}
header{padding-top:36px}
h1{font-size:26px;line-height:1.25;margin:0 0 8px;overflow-wrap:anywhere}
header p{margin:0;color:var(--soft);font-size:13.5px;overflow-wrap:anywhere}
nav{position:sticky;top:0;z-index:1;background:var(--bg);border-bottom:1px solid var(--line);margin-top:20px;
padding:8px max(24px,calc((100vw - 1032px)/2));display:flex;flex-wrap:wrap;gap:4px 18px;font-size:13.5px}
a{color:var(--blue);text-decoration:none}a:hover{text-decoration:underline}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:20px 24px;margin:20px 0;
scroll-margin-top:56px}
h2{font-size:18px;margin:0 0 4px}h3{font-size:15px;margin:18px 0 6px}
.note{margin:0 0 14px;color:var(--soft);font-size:13.5px;max-width:80ch}
.scroll{overflow-x:auto}
table{border-collapse:collapse;min-width:min(100%,380px);font-size:14px;font-variant-numeric:tabular-nums}
th{font-weight:600;color:var(--soft);font-size:12.5px;text-align:left}
th,td{padding:5px 22px 5px 0;border-bottom:1px solid var(--line);vertical-align:middle}
th.n,td.n{text-align:right;white-space:nowrap}
tr:last-child td{border-bottom:0}
.bar{display:inline-block;width:84px;height:8px;background:var(--line);border-radius:4px;margin-right:9px;
overflow:hidden;vertical-align:1px}
.bar i{display:block;height:100%;background:var(--blue);border-radius:4px}
.bar.bad i{background:var(--red)}
.good{color:var(--green)}.bad{color:var(--red)}.soft{color:var(--soft)}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(320px,1fr));gap:8px 32px;align-items:start}
.side{display:grid;grid-template-columns:230px minmax(0,1fr);gap:8px 28px;align-items:start}
.side th,.side td{padding-right:16px}
@media(max-width:900px){.side{grid-template-columns:1fr}}
svg{display:block;width:100%;height:auto;max-width:600px;color:var(--ink)}
svg text{fill:var(--soft);font-size:12px}
svg .grid{stroke:var(--line)}
.gallery{display:grid;grid-template-columns:repeat(auto-fill,minmax(170px,1fr));gap:14px}
.sheet{display:flex;flex-wrap:wrap;gap:14px;margin-top:12px}.sheet figure{width:min-content}
.sheet figure img{width:auto;max-width:none}.stack{position:relative;line-height:0}
.stack .mask{position:absolute;left:0;top:0;display:none}#masks:checked~.sheet .mask{display:block}
figure{margin:0}figure img{width:100%;height:auto;border-radius:6px;display:block}
figcaption{font-size:12px;color:var(--soft);overflow-wrap:anywhere;margin-top:4px;line-height:1.35}
ol.findings{list-style:none;margin:0;padding:0}
ol.findings>li{border-top:1px solid var(--line);padding:14px 0;display:grid;grid-template-columns:34px 1fr;gap:10px}
ol.findings>li:first-child{border-top:0}
.rank{font-size:20px;font-weight:600;color:var(--soft);line-height:1.2}
.tag{font-size:11.5px;font-weight:600;border-radius:4px;padding:2px 7px;margin-right:8px;background:var(--tint);
color:var(--blue);white-space:nowrap}
.tag.fault{color:#fff;background:var(--red)}
.findings p{margin:4px 0 0;max-width:86ch}
.findings .gallery{margin-top:10px;grid-template-columns:repeat(auto-fill,150px)}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;font-size:13px;margin:4px 0 0}
.legend i{display:inline-block;width:20px;border-top:3px solid;vertical-align:4px;margin-right:6px}
@media print{nav{display:none}section{break-inside:avoid-page}}
""".replace("\n", "")
