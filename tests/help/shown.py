"""Whether an answer is as an example shows it: numbers to the digits that are shown."""

import decimal
import re

NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])")
NOISE = decimal.Decimal("1e-12")  # what rounding leaves: its digits are the machine's


def number_is(shown, real):
    """Decimals. Whole numbers are what they are."""
    if abs(shown) < NOISE:
        return abs(real) < NOISE
    exponent = shown.as_tuple().exponent
    return abs(shown - real) <= max(abs(shown) * NOISE, decimal.Decimal(1).scaleb(exponent) if exponent < 0 else 0)


def line_is(shown, real):
    """Lines of text; "..." stands for anything."""
    pattern = ""
    for i, piece in enumerate(NUMBER.split(shown)):
        pattern += ("(%s)" % NUMBER.pattern if i else "") + re.escape(piece).replace(re.escape("..."), ".*")
    match = re.fullmatch(pattern, real)
    numbers = [decimal.Decimal(text) for text in NUMBER.findall(shown)]
    return match is not None and all(number_is(number, decimal.Decimal(text)) for number, text in zip(numbers, match.groups()))


def text_is(shown, real):
    """Whole outputs; a line "..." stands for any number of lines, and what stands at the end may be more."""
    return lines_are(shown.rstrip().split("\n"), real.rstrip().split("\n"))


def lines_are(shown, real):
    if not shown:
        return not real
    if shown[0] == "...":
        return any(lines_are(shown[1:], real[i:]) for i in range(len(real) + 1))
    return bool(real) and line_is(shown[0].rstrip(), real[0].rstrip()) and lines_are(shown[1:], real[1:])


def difference(shown, real, place=""):
    """Where a JSON answer is not as shown, None where it is; it may have members that are not. Both were read with
    decimal.Decimal for all numbers."""
    if isinstance(shown, dict) and isinstance(real, dict):
        for name, value in shown.items():
            found = difference(value, real[name], place + "/" + name) if name in real else place + "/" + name + " is not there"
            if found is not None:
                return found
        return None
    if isinstance(shown, list) and isinstance(real, list) and len(shown) == len(real):
        return next(filter(None, (difference(*pair, "%s/%d" % (place, i)) for i, pair in enumerate(zip(shown, real)))), None)
    if isinstance(shown, decimal.Decimal) and isinstance(real, decimal.Decimal):
        return None if number_is(shown, real) else "%s: %s, not %s" % (place, real, shown)
    return None if type(shown) is type(real) and shown == real else "%s: %r, not %r" % (place, real, shown)
