"""What is printed."""

HEAD = f"{'':<52} {'gradcheckd':>12} {'peer':>12} {'':<8} {'ratio':>9}"


def row(what, ours, peer, unit, note="", larger_is_better=False, ratio=None):
    """One line. The ratio is how much better ours is, unless it was measured itself."""
    if ratio is None and peer:
        ratio = ours / peer if larger_is_better else peer / ours
    shown = "" if ratio is None else f"{ratio:8.2f}x" if ratio < 10 else f"{ratio:8.1f}x"
    beside = "-" if peer is None else f"{peer:,.3f}"
    print(f"{what:<52} {ours:>12,.3f} {beside:>12} {unit:<8} {shown:>9}  {note}".rstrip(), flush=True)


def listed(steps, digits=1, factor=1):
    """Steps of Server-Timing, one after the other."""
    return ", ".join(f"{name} {value * factor:.{digits}f}" for name, value in steps.items())
