"""What the demo shows: a live board on a terminal, plain lines elsewhere."""
import os
import shutil
import sys
import time


class Show:
    def __init__(self):
        self.out = sys.stdout
        self.tty = self.out.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self.began = time.monotonic()
        self.drawn = 0
        self.last = 0.0

    def paint(self, code, text):
        return f"\033[{code}m{text}\033[0m" if self.tty else text

    def say(self, text=""):
        self.erase()
        print(text, flush=True)

    def title(self, text):
        self.say()
        self.say(self.paint("1", f"== {text}"))

    def command(self, text):
        self.say(self.paint("36", f"   $ {text}"))

    def event(self, name, text):
        """One line a change: everywhere, since it is the record of what happened."""
        if not self.tty:
            print(f"   {time.monotonic() - self.began:6.1f} s  {name}  {text}", flush=True)

    def erase(self):
        if self.drawn:
            self.out.write(f"\033[{self.drawn}A\033[J")
            self.drawn = 0

    def board(self, devices, rollout):
        """The fleet and the rollout, drawn over the board before."""
        if not self.tty or time.monotonic() - self.last < 0.15:
            return
        self.last = time.monotonic()
        width = shutil.get_terminal_size().columns - 1
        lines = [""]
        for d in devices:
            lines.append(f"   {d.name}  slot {d.slot}  {d.version:<8} {d.state}")
        lines += [""] + ["   " + l for l in rollout.splitlines()]
        self.erase()
        for line in lines:
            self.out.write(self.colour(line[:width]) + "\n")
        self.out.flush()
        self.drawn = len(lines)

    def keep_board(self):
        """What is drawn stays; what comes next stands below it."""
        self.drawn = 0

    @staticmethod
    def colour(line):
        for word, code in (("unhealthy", "31"), ("FAILED", "31"), ("stopped", "31"), ("confirmed", "32"), ("finished", "32"),
                           ("on trial", "33"), ("reboots", "33"), ("fetches", "36")):
            if word in line:
                return f"\033[{code}m{line}\033[0m"
        return line
