"""Print the engine's speed and memory on this machine, beside plain Mesa and numpy + scipy.sparse.

python -m experiments.benchmark            everything: some ten minutes, 8 GB of memory
python -m experiments.benchmark --quick    10,000 stakeholders, half a minute
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from experiments.benchmark import measure
from experiments.benchmark.measure import COLUMNS, MESA, WHOLE, engine_name

SIZES, ARMS = [10_000, 100_000, 1_000_000], [1, 4, 16, 64]
QUICK_SIZES, QUICK_ARMS = [10_000], [1, 16]
LARGE = 1_000_000
# By ratio in one run on one machine.
MESA_IN_LANES, NUMPY_IN_LANES, MESA_ALONE, GROWTH = 500.0, 25.0, 100.0, 1.3

Costs = dict[int, dict[str, float]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; the exit code does not depend on what was reached."""
    options = parse(arguments)
    if options.peak:
        print(json.dumps(measure.peak_here(options.peak)))
        return 0
    print(machine())
    found: Costs = {}
    for size in options.sizes:
        print(f"measuring {size:,} stakeholders ...", file=sys.stderr, flush=True)
        found[size] = measure.costs(size, options.arms, options.samples, not options.alone)
    print(table(found))
    print(growth(found, options.arms))
    print(memory(min(options.sizes)))
    peak = None
    if max(options.sizes) >= LARGE:
        print("measuring memory ...", file=sys.stderr, flush=True)
        peak = measure.peak_of(LARGE)
        print(
            f"{LARGE:,} stakeholders, one arm: peak {peak['peak'] / 1e6:,.0f} MB; CPU seconds: "
            f"{peak['world']:.1f} for the world, {peak['quarter']:.1f} for the first quarter"
        )
    print(f"copy bandwidth of one core: {measure.copy_bandwidth() / 1e9:.1f} GB/s, 16 bytes a word")
    print(goals(found, options.arms, None if peak is None else peak["peak"]))
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="python -m experiments.benchmark", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--sizes", nargs="+", type=positive, help=f"stakeholders; default {SIZES}")
    parser.add_argument("--arms", nargs="+", type=positive, help=f"arms; default {ARMS}")
    parser.add_argument("--samples", type=positive, default=5, help="samples per case; default 5")
    parser.add_argument("--quick", action="store_true", help="one small size, few arms")
    parser.add_argument("--alone", action="store_true", help="leave out the references")
    parser.add_argument("--peak", type=positive, help="only print the peak memory of one arm")
    options = parser.parse_args(arguments)
    options.sizes = sorted(set(options.sizes or (QUICK_SIZES if options.quick else SIZES)))
    options.arms = sorted(set(options.arms or (QUICK_ARMS if options.quick else ARMS)))
    return options


def positive(text: str) -> int:
    """Return a whole number of at least 1; 1e5 is one."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not (number >= 1 and number.is_integer()):
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number of at least 1")
    return int(number)


def machine() -> str:
    """Say what this was measured on."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        lines = [x for x in info.read_text().splitlines() if x.startswith("model name")]
        cpu = lines[0].partition(":")[2].strip() if lines else cpu
    packages = ", ".join(f"{name} {version(name)}" for name in ("numba", "numpy", "scipy", "mesa"))
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{cpu}, {os.cpu_count()} cores{load}; Python {platform.python_version()}, {packages}\n"


def table(found: Costs) -> str:
    """Return the costs, a row per implementation and a column per size."""
    names = list(dict.fromkeys(name for costs in found.values() for name in costs))
    rows = [["CPU ns per stakeholder-week of one run", *(f"{size:,}" for size in found)]]
    for name in names:
        rows.append([name, *(shown(costs.get(name)) for costs in found.values())])
    notes = [
        f"One core; medians. The engine's quarters with everything in them, {measure.PASS} arms to "
        "a pass, draws included.",
        "References: the same full laws, one run, a week at a time. Plain Mesa's draws are made "
        "outside the timed part, in its favour.",
    ]
    return "\n".join([*aligned(rows), *notes, ""])


def growth(found: Costs, n_arms: Sequence[int]) -> str:
    """Say how the engine's cost grows with size and with arms."""
    sizes = list(found)
    rows = [["cost relative to", *(f"{size:,}" for size in sizes)]]
    for n in n_arms:
        name = engine_name(n)
        ratios = [found[size][name] / found[sizes[0]][name] for size in sizes]
        rows.append([f"{sizes[0]:,} stakeholders, {name}", *(f"{r:.2f}" for r in ratios)])
    least = n_arms[0]
    for n in n_arms[1:]:
        ratios = [
            n * found[size][engine_name(n)] / (least * found[size][engine_name(least)])
            for size in sizes
        ]
        rows.append([f"{engine_name(least)}: all {n} arms", *(f"{r:.2f}" for r in ratios)])
    return "\n".join([*aligned(rows), ""])


def memory(size: int) -> str:
    """Say how many bytes a stakeholder takes."""
    rows = [["bytes per stakeholder", ""]]
    found = measure.memory(size)
    for name, value in found.items():
        if name != "ties of a stakeholder":
            rows.append([name, f"{value:.0f}"])
    return "\n".join([*aligned(rows), f"({found['ties of a stakeholder']:.1f} ties each)", ""])


def goals(found: Costs, n_arms: Sequence[int], peak: float | None) -> str:
    """Return what was aimed at and reached, taking of several sizes the least favourable."""
    most, least = engine_name(max(n_arms)), engine_name(min(n_arms))
    rows = [["goal", "at", "reached", ""]]

    def ratio(label: str, over: str, under: str, goal: float | None) -> None:
        values = [c[over] / c[under] for c in found.values() if over in c and under in c]
        if values:
            wanted = "-" if goal is None else f">= {goal:g}"
            met = "" if goal is None else met_or_not(min(values) >= goal)
            rows.append([label, wanted, f"{min(values):.1f}", met])

    if max(n_arms) > 1:
        ratio("lanes : plain Mesa", MESA, most, MESA_IN_LANES)
        ratio("lanes : numpy + scipy.sparse", WHOLE, most, NUMPY_IN_LANES)
        ratio("lanes : the same, speakers' ties alone", COLUMNS, most, None)
    if min(n_arms) == 1:
        ratio("alone : plain Mesa", MESA, least, MESA_ALONE)
        ratio("alone : numpy + scipy.sparse", WHOLE, least, None)
    sizes = list(found)
    for name in dict.fromkeys((most, least)):
        if len(sizes) > 1:
            value = found[sizes[-1]][name] / found[sizes[0]][name]
            label = f"cost at {sizes[-1]:,} : at {sizes[0]:,}, {name}"
            rows.append([label, f"<= {GROWTH:g}", f"{value:.2f}", met_or_not(value <= GROWTH)])
    if peak is not None:
        reached = f"{peak / 1e9:.2f} GB"
        rows.append([f"peak memory, {LARGE:,}, 1 arm", "< 1 GB", reached, met_or_not(peak < 1e9)])
    return "\n".join(["", *aligned(rows)])


def met_or_not(met: bool) -> str:
    """Say it in words."""
    return "met" if met else "not met"


def shown(value: float | None) -> str:
    """Return a number of nanoseconds as one reads it."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines with columns in line, the first to the left."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


if __name__ == "__main__":
    sys.exit(main())
