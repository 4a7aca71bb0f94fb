#!/usr/bin/python3
"""make picture: docs/top.png, `thread-exporter top` in a terminal (tmux), drawn by a headless Chromium."""
import html
import os
import re
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, "tests/ThreadExporter.Tests/bin/Release/net10.0")
OURS = os.environ.get("TE_BINARY") or os.path.join(BUILD, "thread-exporter")
COLUMNS, ROWS = 150, 14
# Pixels of a character of the font below, and the border around the screen.
CELL, LINE, BORDER = 8, 17, 12
HOST = "db1"
COLOURS = {"31": "#ff7b72", "33": "#e3b341"}
FOREGROUND, BACKGROUND = "#d8dee9", "#14181f"
# Seconds that the history of the picture has.
WATCHED = 60


def tmux(socket_path, *arguments):
    return subprocess.run(["tmux", "-S", socket_path, "-u", "-f", "/dev/null", *arguments], check=True, capture_output=True, text=True).stdout


def capture():
    """The screen as text with SGR sequences (ECMA-48), after a while of work by threads with well-known names."""
    with tempfile.TemporaryDirectory(prefix="te-picture-") as folder:
        # The kernel takes the name of the process from the link.
        program = os.path.join(folder, "ceph-osd")
        os.symlink(os.path.join(BUILD, "workload"), program)
        return capture_of(program, os.path.join(folder, "socket"))


def capture_of(program, socket_path):
    with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as workload:
        def ask(line):
            workload.stdin.write(line + "\n")
            workload.stdin.flush()
            return workload.stdout.readline().strip()

        for name, mode in (("tp_osd_tp", "90"), ("bstore_kv_sync", "30"), ("msgr-worker-0", "12"), ("msgr-worker-1", "7"), ("rocksdb:low0", "3")):
            ask(f"spawn {name} {mode}")
        blocked = ask("steps jbd2_commit")
        ask(f"post {blocked} vfork")
        try:
            tmux(socket_path, "new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), "env", "LC_ALL=C.UTF-8", OURS, "top", "--filter", str(workload.pid))
            time.sleep(WATCHED)
            return tmux(socket_path, "capture-pane", "-p", "-e", "-N")
        finally:
            tmux(socket_path, "kill-server")
            ask(f"release {blocked}")
            workload.stdin.close()


def page(screen):
    """The same as HTML."""
    # tmux changes the style only where it differs, also from one line to the next.
    spans, style = [], []
    for line in screen.rstrip("\n").split("\n"):
        for piece in re.split(r"(\x1b\[[0-9;]*m)", line):
            if piece.startswith("\x1b["):
                for code in piece[2:-1].split(";"):
                    if code in ("", "0"):
                        style = []
                    elif code == "39":
                        style = [c for c in style if c not in COLOURS]
                    else:
                        style.append(code)
                continue
            reverse = "7" in style
            colour = next((COLOURS[c] for c in style if c in COLOURS), FOREGROUND)
            front, back = (BACKGROUND, colour) if reverse else (colour, "transparent")
            weight = "bold" if "1" in style else "normal"
            opacity = "0.6" if "2" in style and not reverse else "1"
            spans.append(f'<span style="color:{front};background:{back};font-weight:{weight};opacity:{opacity}">{html.escape(piece)}</span>')
        spans.append("\n")
    return (f'<!doctype html><meta charset="utf-8"><body style="margin:0;background:{BACKGROUND}"><pre style="margin:{BORDER}px;'
            f'font:{LINE - 4}px/{LINE}px \'DejaVu Sans Mono\',monospace">{"".join(spans)}</pre>')


def main():
    screen = capture()
    screen, found = re.subn(rf"(top(?:\x1b\[[0-9;]*m)*  ){re.escape(socket.gethostname())}  ", rf"\g<1>{HOST}  ", screen, count=1)
    if not found:
        sys.exit("picture: the name of this host is not where it was, so it would be in the picture")
    with tempfile.TemporaryDirectory(prefix="te-picture-") as folder:
        source = os.path.join(folder, "top.html")
        with open(source, "w", encoding="utf-8") as file:
            file.write(page(screen))
        size = f"{COLUMNS * CELL + 2 * BORDER},{ROWS * LINE + 2 * BORDER}"
        subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={folder}/profile", f"--window-size={size}",
                        f"--screenshot={os.path.join(ROOT, 'docs/top.png')}", f"file://{source}"], check=True, capture_output=True)


if __name__ == "__main__":
    main()
