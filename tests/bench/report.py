"""Prints tables and writes them between their marks in docs/performance.md."""
import os
import platform
import re
import time

from programs import ROOT, Broken

DOCUMENT = os.path.join(ROOT, "docs", "performance.md")
NAMES = {"ours": "thread-exporter", "peer": "prometheus-process-exporter", "floor": "C: open, read, close"}


class Figures:
    """Figures with their targets and measured values."""

    def __init__(self):
        self.rows = []

    def at_least(self, what, target, measured, unit=""):
        self._add(what, f"at least {number(target)}{unit}", measured, unit, measured is not None and measured >= target)

    def at_most(self, what, target, measured, unit=""):
        self._add(what, f"at most {number(target)}{unit}", measured, unit, measured is not None and measured <= target)

    def note(self, what, measured, unit=""):
        self.rows.append((what, "", f"{number(measured)}{unit}", ""))

    def _add(self, what, target, measured, unit, met):
        shown = "not measured" if measured is None else f"{number(measured)}{unit}"
        self.rows.append((what, target, shown, "met" if met else "**missed**"))

    def table(self):
        return table(("Figure", "Target", "Measured", ""), self.rows)

    def summary(self):
        missed = sum(row[3] == "**missed**" for row in self.rows)
        return f"{sum(row[3] == 'met' for row in self.rows)} targets met, {missed} missed"


def number(value):
    """Three significant digits."""
    if value == 0:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def table(head, rows):
    lines = ["| " + " | ".join(row) + " |" for row in [head, ["---"] + ["---:"] * (len(head) - 1), *rows]]
    return "\n".join(lines) + "\n"


def result_table(title, result):
    base = {gzip: result.series["ours", gzip].mean_cpu() for gzip in (False, True)}
    rows = []
    for (name, gzip), series in result.series.items():
        resident, private = result.memory[name]
        rows.append((NAMES[name] + (", gzip" if gzip else ""), f"{series.mean_cpu() / 1e6:.2f}", f"{series.mean_cpu() / base[gzip]:.1f}",
                     f"{series.quantile(0.5) / 1e6:.1f}", f"{series.quantile(0.99) / 1e6:.1f}", str(len(series.cpu)),
                     f"{series.size:,}" if name != "floor" else "", f"{resident:,}", f"{private:,}"))
    head = ("Program", "CPU ms", "ratio", "p50 ms", "p99 ms", "scrapes", "body bytes", "RSS bytes", "private bytes")
    return f"### {title}\n\n{table(head, rows)}"


def machine(load_before):
    """The machine. Only the version of the kernel release: the rest may identify the provider of the host."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        cpuinfo = file.read()
    model = re.search(r"^model name\s*: (.*)$", cpuinfo, re.MULTILINE)
    virtual = ", a virtual machine" if re.search(r"^flags.*\bhypervisor\b", cpuinfo, re.MULTILINE) else ""
    version = re.match(r"[0-9.]*[0-9]", platform.release()).group()
    processor = model.group(1) if model else platform.machine()
    return (f"Measured {time.strftime('%Y-%m-%d')} on {processor}, {os.cpu_count()} cores{virtual}, Linux {version}. "
            f"Load average before the run: {load_before:.2f}.\n")


def publish(mark, text):
    """Prints the text, and writes it into the document."""
    print(text)
    begin, end = f"<!-- {mark}: begin -->\n", f"<!-- {mark}: end -->\n"
    with open(DOCUMENT, encoding="utf-8") as file:
        before, found, rest = file.read().partition(begin)
    if not found or end not in rest:
        raise Broken(f"docs/performance.md has no marks {mark}")
    with open(DOCUMENT, "w", encoding="utf-8") as file:
        file.write(before + begin + "\n" + text.strip() + "\n\n" + end + rest.split(end, 1)[1])
