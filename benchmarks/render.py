"""What it costs to build a large site, beside the least that Jinja2 and the disk allow.

    python benchmarks/render.py            10,000 head pages: warm build, floors, no-op, edit of one sentence
    python benchmarks/render.py --memory   peak memory at 1,000, 10,000 and 50,000 head pages

Every build is a process of its own. There are two floors, both bare loops over every page that the build
writes, each page into a folder of its own. One has Jinja2 render the site's own templates from contexts that
are ready: the same pages, byte for byte (`template_floor.py`). The other, which no site could reach, renders
a template of six values and a filler (autoescape on) to the same number of bytes.
CPU seconds are user + system of the process; all take turns, and ratios are taken turn by turn.
Finished sites are moved aside, not removed, while the clock may run: some file systems make files more
slowly for minutes after many were removed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from synthetic import Shape, fill_store, make_gallery

TEMPLATES = Path(__file__).with_name("template_floor.py")
FLOOR = """
import os, sys
from pathlib import Path
import jinja2
from markupsafe import Markup
sample = Path(sys.argv[1]).read_text(encoding="utf-8").replace("{", "(").replace("}", ")")
sizes = [int(size) for size in Path(sys.argv[2]).read_text().split()]
out = sys.argv[3]
step = len(sample) // 7
parts = [sample[i * step:(i + 1) * step] for i in range(7)]
source = "".join(part + "{{ value" + str(i) + " }}" for i, part in enumerate(parts[:6])) + "{{ rest }}"
template = jinja2.Environment(autoescape=True).from_string(source)
room = len(source.encode()) - 50
filler = Markup("x" * (max(sizes) + 1))
for page, size in enumerate(sizes):
    folder = f"{out}/{page // 100:04d}/{page:06d}"
    os.makedirs(folder, exist_ok=True)
    html = template.render(rest=filler[:max(0, size - room)], **{f"value{i}": page for i in range(6)})
    with open(folder + "/index.html", "w", encoding="utf-8") as stream:
        stream.write(html)
"""


@dataclass(frozen=True)
class Cost:
    """CPU and wall seconds and peak resident memory (MB) of one process."""

    cpu: float
    wall: float
    memory: float


def measure(command: list[str], cwd: Path) -> Cost:
    """Run a command to its end and say what it cost. Its failure is ours."""
    started = time.perf_counter()
    # As an installed package: compiled once, not at every start.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command[:4])} … ended with {process.returncode}")
    scale = 1e6 if sys.platform == "darwin" else 1e3
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / scale)


def build(root: Path, *options: str) -> Cost:
    """One build of the gallery in `root`."""
    return measure([sys.executable, "-m", "attention_gallery", "--quiet", "build", *options], root)


def same_pages(root: Path, run: int) -> float:
    """CPU seconds of the bare loop that makes the same pages, into an empty folder beside the gallery."""
    out = root / f"pages{run}"
    command = [sys.executable, str(TEMPLATES), "write", str(root / "kept"), str(out)]
    seconds = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    if run == 0:
        for path in out.rglob("*.html"):
            if path.read_bytes() != (root / "site" / path.relative_to(out)).read_bytes():
                raise SystemExit(f"{path} is another page than the build's")
    return seconds


def floor(root: Path, run: int) -> Cost:
    """The bare loop of six values, into an empty folder beside the gallery."""
    paths = [str(root / name) for name in ("sample.html", "sizes.txt", f"floor{run}")]
    return measure([sys.executable, "-c", FLOOR, *paths], root)


def rendering(root: Path, runs: int, sentences: int) -> None:
    """Warm build against the floor, no-op build, edit of one sentence."""
    shape = Shape(sentences)
    manifest = make_gallery(root, shape)
    build(root)
    site = root / "site"
    sample = site / "model/s1/l03h07/index.html"
    shutil.copy(sample, root / "sample.html")
    sizes = [path.stat().st_size for path in sorted(site.rglob("*.html"))]
    (root / "sizes.txt").write_text(" ".join(map(str, sizes)))
    print(
        f"{shape.head_pages:,} head pages of {shape.tokens} tokens, {len(sizes) - shape.head_pages} others, "
        f"{sum(sizes) / 1e6:.0f} MB; {sample.stat().st_size:,} bytes a head page; {runs} runs"
    )
    site.rename(root / "first")
    measure([sys.executable, str(TEMPLATES), "keep", str(root), str(root / "kept")], root)
    warm, least, same = [], [], []
    for run in range(runs):
        site.rename(root / f"site{run}")
        warm.append(build(root))
        same.append(same_pages(root, run))
        least.append(floor(root, run))
    show("warm build", warm)
    print(f"  {'floor: the same pages':<22} CPU {spread(same)} s")
    show("floor: six values", least)
    ratios = [a.cpu / b for a, b in zip(warm, same, strict=True)]
    print(f"  warm build / the same pages, CPU: {spread(ratios)} (aim: at most 3)")
    ratios = [a.cpu / b.cpu for a, b in zip(warm, least, strict=True)]
    print(f"  warm build / six values, CPU: {spread(ratios)}")
    show("no-op build", [build(root) for _ in range(runs)])
    show("edit of one sentence", [edited(root, manifest, shape, run) for run in range(runs)])


def edited(root: Path, manifest: Path, shape: Shape, run: int) -> Cost:
    """Change one sentence, capture it (not counted), and build."""
    text = manifest.read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if "slug: s5," in line)
    changed = line.rpartition(" ")[0] + f' edit{run}"}}'
    manifest.write_text(text.replace(line, changed), encoding="utf-8")
    fill_store(manifest, shape, seed=run + 1)
    return build(root)


def memory(root: Path) -> None:
    """Peak memory of a warm build at three sizes."""
    for sentences in (7, 70, 348):
        place = root / str(sentences)
        shape = Shape(sentences)
        make_gallery(place, shape)
        build(place)
        shutil.rmtree(place / "site")
        cost = build(place)
        print(
            f"{shape.head_pages:>7,} head pages: {cost.memory:.0f} MB peak, {cost.cpu:.1f} s CPU", flush=True
        )
        shutil.rmtree(place)


def show(name: str, costs: list[Cost]) -> None:
    """A line with medians and ranges."""
    print(
        f"  {name:<22} CPU {spread([c.cpu for c in costs])} s   wall {spread([c.wall for c in costs])} s   "
        f"peak {max(c.memory for c in costs):.0f} MB",
        flush=True,
    )


def spread(values: list[float]) -> str:
    """Median and range."""
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--memory", action="store_true", help="measure peak memory at three sizes instead")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--sentences", type=int, default=70, help="70 make 10,080 head pages")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.memory:
            memory(Path(folder))
        else:
            rendering(Path(folder) / "gallery", options.runs, options.sentences)


if __name__ == "__main__":
    main()
