"""Styles: told apart by colour-blind readers, and the same in every report."""

from itertools import combinations

import numpy as np

from apical.report.theme import RULE_NAMES, RULE_STYLES, rule_name, slug, styles

# How dichromats see linear RGB (Vienot, Brettel & Mollon 1999, Digital video colourmaps for checking the legibility of
# displays by dichromats).
PROTANOPE = np.array([[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]])
DEUTERANOPE = np.array([[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]])
TRICHROMAT = np.eye(3)
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def lab(colour: str, sight: np.ndarray) -> np.ndarray:
    """CIELAB of an sRGB colour as this sight perceives it."""
    rgb = np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(sight @ linear, 0, 1) / TO_XYZ.sum(axis=1)
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_any_two_rules_differ_in_dash_or_in_colour_for_every_sight() -> None:
    for (one, a), (other, b) in combinations(RULE_STYLES.items(), 2):
        if a.dash == b.dash:
            for sight in (TRICHROMAT, PROTANOPE, DEUTERANOPE):
                assert np.linalg.norm(lab(a.colour, sight) - lab(b.colour, sight)) > 16, (one, other)


def test_any_two_rules_differ_as_points() -> None:
    assert len({(style.colour, style.marker) for style in RULE_STYLES.values()}) == len(RULE_STYLES)


def test_every_rule_with_a_name_has_a_style() -> None:
    assert RULE_NAMES.keys() == RULE_STYLES.keys()


def test_known_rules_never_change_and_unknown_ones_stay_from_report_to_report() -> None:
    alone = styles(["burst-prop"])["burst-prop"]
    among = styles(["backprop", "burst-prop", "microcircuit"])
    assert among["burst-prop"] == alone and among["backprop"] == RULE_STYLES["backprop"]
    assert styles(["microcircuit", "burst-prop", "backprop"]) == among


def test_unknown_rules_get_styles_of_their_own() -> None:
    labels = [f"rule-{number}" for number in range(24)]
    assert len(set(styles(labels).values())) == 24
    assert not set(styles(labels).values()) & set(RULE_STYLES.values())
    assert len(styles([*labels, "one-more"])) == 25


def test_names() -> None:
    assert rule_name("ao-sdtp") == "Auxiliary-output SDTP"
    assert rule_name("burst-prop") == "Burst prop"
    assert slug("CIFAR-10 / <b>") == "cifar-10-b" and slug("//") == "unnamed"
