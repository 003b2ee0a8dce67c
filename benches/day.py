#!/usr/bin/env python3
"""What days of schedules leave in `thrash serve`: memory, open files and threads, run after run.

Usage: benches/day.py [RUNS]    (default 490: ten days of the usual two schedules)

A schedule starts `quick` every second, against a demo detector in a process of its own, into a SQLite file. It looks
after the first day's worth of runs (49), when caches are warm, and then after each tenth of the rest.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

from service import build, memory

RUNS = int(sys.argv[1]) if sys.argv[1:] else 490
DAY = 49


def ended(metrics):
    """Runs that ended since the service started, and its own view of what it uses."""
    with urllib.request.urlopen(metrics, timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    of = lambda start: sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(start))
    return int(of("thrash_runs_total{")), int(of("process_open_fds")), int(of("process_threads"))


def main():
    thrash = build()
    with tempfile.TemporaryDirectory() as folder:
        environment = {"PATH": os.environ["PATH"], "HOME": folder, "THRASH_DATA": folder, "METRICS_PORT_TESTING": "0",
                       "QUICK_TEST_ENABLED": "true", "QUICK_TEST_SCHEDULE": "* * * * * *"}
        demo = subprocess.Popen([thrash, "demo", "--listen", "127.0.0.1:0"], env=environment, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True)
        environment["NLP_SERVER_URL"] = demo.stdout.readline().strip()
        log = pathlib.Path(folder) / "log"
        serve = subprocess.Popen([thrash, "serve", "--listen", "127.0.0.1:0"], env=environment,
                                 stdout=subprocess.PIPE, stderr=open(log, "w"), text=True, cwd=folder)
        try:
            serve.stdout.readline()
            while "metrics at " not in log.read_text():
                time.sleep(0.1)
            metrics = log.read_text().split("metrics at ")[1].split(";")[0]
            print(f"{'runs':>8}{'memory':>12}{'files':>8}{'threads':>9}", flush=True)
            for wanted in [0, DAY, *(DAY + (RUNS - DAY) * tenth // 10 for tenth in range(1, 11))]:
                while (seen := ended(metrics))[0] < wanted:
                    time.sleep(1)
                print(f"{seen[0]:>8}{memory(serve):>8.1f} MiB{seen[1]:>8}{seen[2]:>9}", flush=True)
        finally:
            for process in (serve, demo):
                process.terminate()
                process.wait(20)


if __name__ == "__main__":
    main()
