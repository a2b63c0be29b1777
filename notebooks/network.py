"""The drawing of the whole network (Figure 2) and its "you are here" variants, as SVG.

    python notebooks/network.py

writes `assets/network.svg` and, with the parts of a notebook in dark, `assets/network_NN.svg`. This
file is their only source; a test compares.
"""

from html import escape
from pathlib import Path

ASSETS = Path(__file__).resolve().parent / "assets"

HERE = {
    "02": ("encoder",),
    "03": ("self_attention",),
    "04": ("co_attention",),
    "05": ("self_gate", "co_gate", "head", "decoder"),
    "06": ("contrast",),
    "07": ("mining",),
}
"""Notebook -> the parts that it is about."""

# Part -> left, top, width, height, lines of text; the first line is bold.
PARTS = {
    "frame": (8, 132, 84, 56, ("frame I", "H × W × 3")),
    "encoder": (
        122,
        100,
        116,
        120,
        ("Encoder E", "convolutions,", "dilation, ASPP", "Section 3.5"),
    ),
    "self_attention": (330, 38, 150, 68, ("Self-attention", "y = x xᵀ x / N", "Eq. 1 to 5")),
    "co_attention": (330, 226, 150, 68, ("Co-attention", "softmax(v W xᵀ) x", "Eq. 6")),
    "self_gate": (548, 46, 76, 52, ("Gate", "Eq. 7, 8")),
    "co_gate": (548, 234, 76, 52, ("Gate", "Eq. 7, 8")),
    "stack": (676, 38, 44, 256, ()),
    "head": (748, 132, 76, 56, ("Head D", "1 × 1")),
    "decoder": (852, 100, 100, 120, ("Decoder", "up by 2,", "add a skip,", "repeat")),
    "map": (976, 132, 84, 56, ("map S", "H × W × 1")),
    "contrast": (
        548,
        352,
        236,
        66,
        ("Contrastive loss L_cl", "u, u₊, u₋: a mean per region", "Eq. 9"),
    ),
    "mining": (836, 352, 224, 66, ("Hard mining", "regions of large error |S − G|", "Section 3.4")),
}

# Paths of the arrows; the dashed ones are needed for training only.
ARROWS = (
    "M92 160 H122",
    "M238 160 H676",
    "M284 160 V72 H330",
    "M304 160 V246 H330",
    "M238 206 H262 V274 H330",
    "M480 72 H548",
    "M480 260 H548",
    "M624 72 H676",
    "M624 260 H676",
    "M720 160 H748",
    "M824 160 H852",
    "M952 160 H976",
    "M180 100 V16 H902 V100",
)
TRAINING = ("M698 294 V352", "M1018 188 V352", "M836 385 H784")

# Left, baseline, text, anchor.
LABELS = (
    (242, 152, "x", "start"),
    (318, 152, "h × w × c", "start"),
    (256, 250, "v, at stride 4", "end"),
    (514, 64, "z_self", "middle"),
    (514, 252, "z_co", "middle"),
    (650, 64, "z̃_self", "middle"),
    (650, 252, "z̃_co", "middle"),
    (540, 34, "skip features, strides 2, 4 (and 8)", "middle"),
    (722, 314, "h × w × 3c", "start"),
    (1010, 246, "L_bce, with mask G", "end"),
    (8, 372, "h = H/8, w = W/8 in the paper, H/16, W/16 in the lite network.", "start"),
    (8, 394, "Dashed: in training only, L = L_bce + L_cl (Eq. 10).", "start"),
)


def describe(here: tuple[str, ...] = ()) -> str:
    """What the drawing shows, in words."""
    text = (
        "The network: a frame goes through the encoder, which gives the fine feature v and the "
        "coarse feature x. Self-attention (Eq. 1 to 5) reads x, co-attention (Eq. 6) reads v and "
        "x. A gate (Eq. 7, 8) weighs each result; x and both are stacked. A head makes a coarse "
        "map, a decoder with skip features enlarges it to the saliency map S. In training the "
        "contrastive loss (Eq. 9) works on the stacked features, and hard mining chooses its "
        "regions by the error of the map."
    )
    names = {"self_gate": "the gates", "head": "head", "contrast": "the contrastive loss"}
    parts = [names.get(part, part.replace("_", "-")) for part in here if part != "co_gate"]
    return f"{text} Highlighted here: {', '.join(parts)}." if parts else text


def draw(here: tuple[str, ...] = ()) -> str:
    """The SVG, the parts `here` in dark."""
    out = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1070 430" role="img" '
        'font-family="DejaVu Sans, Verdana, sans-serif" font-size="14">',
        f"<title>{'You are here' if here else 'The whole network'}</title>",
        f"<desc>{escape(describe(here))}</desc>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0 L8 4 L0 8 Z" fill="#444"/></marker></defs>',
        '<rect width="1070" height="430" fill="white"/>',
    ]
    for path in ARROWS + TRAINING:
        dashes = ' stroke-dasharray="6 4"' if path in TRAINING else ""
        look = f'fill="none" stroke="#444" stroke-width="1.6"{dashes} marker-end="url(#tip)"'
        out.append(f'<path d="{path}" {look}/>')
    for name, (left, top, width, height, lines) in PARTS.items():
        fill, ink = ("#222", "white") if name in here else ("#F4F4F4", "#111")
        box = f'x="{left}" y="{top}" width="{width}" height="{height}" rx="5"'
        out.append(f'<rect {box} fill="{fill}" stroke="#444" stroke-width="1.6"/>')
        first = top + height / 2 - 9 * (len(lines) - 1) + 5
        for k, line in enumerate(lines):
            size = "" if k == 0 else ' font-size="13"'
            weight = ' font-weight="bold"' if k == 0 else size
            place = f'x="{left + width / 2:g}" y="{first + 18 * k:g}" text-anchor="middle"'
            out.append(f'<text {place} fill="{ink}"{weight}>{escape(line)}</text>')
    out.append(
        '<text transform="translate(703 166) rotate(-90)" text-anchor="middle" '
        'fill="#111" font-weight="bold">[ x, z̃_self, z̃_co ]</text>'
    )
    for left, base, text, anchor in LABELS:
        place = f'x="{left}" y="{base}" text-anchor="{anchor}"'
        out.append(f'<text {place} font-size="13" fill="#111">{escape(text)}</text>')
    return "\n".join([*out, "</svg>", ""])


def files() -> dict[str, str]:
    """Name -> content of every drawing."""
    variants = {f"network_{number}.svg": draw(here) for number, here in HERE.items()}
    return {"network.svg": draw()} | variants


if __name__ == "__main__":
    for name, content in files().items():
        (ASSETS / name).write_text(content, encoding="utf-8")
