"""Write figures for people: one place decides on digits and units."""

MS_PER_S = 1000.0


def seconds(value_s: float) -> str:
    """Return a duration with its unit: three digits that a person can say.

    >>> seconds(0.0284), seconds(1.5), seconds(14.93), seconds(372.4)
    ('28 ms', '1.5 s', '14.9 s', '6 min 12 s')
    """
    size_s = abs(value_s)
    if size_s == 0.0:
        return "0 s"
    if size_s < 1.0:
        digits = 0 if size_s * MS_PER_S >= 10 else 1  # noqa: PLR2004 -- below 10 ms, tenths count
        return f"{value_s * MS_PER_S:.{digits}f} ms"
    if size_s < 120.0:  # noqa: PLR2004 -- two minutes are still said in seconds
        return f"{value_s:.1f}".removesuffix(".0") + " s"
    minutes, rest_s = divmod(round(value_s), 60)
    return f"{minutes} min {rest_s} s"


def ratio(value: float) -> str:
    """Return a share in percent; 100 % only if nothing at all is missing.

    >>> ratio(1.0), ratio(0.99999), ratio(0.9913), ratio(0.0)
    ('100 %', '99.99 %', '99.13 %', '0 %')
    """
    if value in (0.0, 1.0):
        return f"{value:.0%}".replace("%", " %")
    percent = min(max(value * 100.0, 0.01), 99.99) if 0.0 < value < 1.0 else value * 100.0
    return f"{percent:.2f}".rstrip("0").rstrip(".") + " %"


def quantity(value: float, unit: str) -> str:
    """Return a figure in its unit: `s` and `ratio` in words for people, others as they are.

    >>> quantity(0.29, "ratio"), quantity(3.0, ""), quantity(14.9, "s"), quantity(2.25, "attempts")
    ('29 %', '3', '14.9 s', '2.25 attempts')
    """
    if unit == "s":
        return seconds(value)
    if unit in ("ratio", "%"):
        return ratio(value)
    return f"{value:.4g} {unit}".rstrip()


def figure(name: str, value: float) -> str:
    """Return a named figure; the end of the name tells the unit.

    >>> figure("recovery_time_s", 4.2), figure("success_ratio", 0.5), figure("operations", 812)
    ('4.2 s', '50 %', '812')
    """
    if name.endswith("_s") and not name.endswith("_per_s"):
        return seconds(value)
    if "_ratio" in name:
        return ratio(value)
    return f"{value:.4g}" if value != int(value) else f"{int(value)}"


def count(number: int, noun: str) -> str:
    """Return a number with its noun in the right form.

    >>> count(1, "scenario"), count(12, "scenario")
    ('1 scenario', '12 scenarios')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
