#!/usr/bin/env python3
"""Whole runs, from process start to exit: wall time and peak memory, medians.

Usage: benches/whole_run.py [RUNS]    (default 15; builds what it needs, writes nothing but a temporary folder)

Everything is measured in one go, turn by turn, because two numbers from different minutes of a busy machine cannot be
compared. The stub answers at once (or after a delay) on loopback and shares the machine with what is measured.
"""

import asyncio
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
RUNS = int(sys.argv[1]) if sys.argv[1:] and sys.argv[1].isdigit() else 15


def build():
    """Builds the program and the stub, and gives their paths."""
    paths = {}
    command = ["cargo", "build", "--release", "--bin", "thrash", "--bench", "stub", "--message-format=json"]
    for line in subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines():
        message = json.loads(line)
        if message.get("executable"):
            paths[message["target"]["name"]] = message["executable"]
    return paths["thrash"], paths["stub"]


def suite(folder, count):
    """A phrase file with so many phrases, no two alike."""
    lines = ["category: made_up", "expected: [high]", "phrases:"]
    lines += [f'  - {{id: "p-{i}", text: "made-up message number {i} about nothing much at all"}}' for i in range(count)]
    path = folder / f"{count}.yaml"
    path.write_text("\n".join(lines))
    return path


def start(command, environment):
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def once(command, environment):
    """Wall time in seconds."""
    begun = time.perf_counter()
    code = start(command, environment).wait()
    wall = time.perf_counter() - begun
    # The made-up suite has no negatives, so a gate cannot tell: 4.
    if code not in (0, 1, 4):
        raise SystemExit(f"{command} ended with {code}")
    return wall


def peak_memory(command, environment):
    """Peak resident memory in MiB, from a run of its own: looking costs time.

    Not from the exit status: that one counts the memory of whoever started the process as well.
    """
    process, peak = start(command, environment), 0
    while process.poll() is None:
        try:
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            peak = max([peak] + [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")])
        except OSError:
            pass
        time.sleep(0.001)
    return peak / 1024


def aiohttp_loop(url, count, concurrency):
    """The plain loop that somebody would write instead; it stores nothing and judges nothing."""
    import aiohttp

    async def main():
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=concurrency)) as session:
            async def ask(i):
                async with session.post(url + "/analyze", json={"message": f"message {i}"}) as response:
                    return (await response.json())["severity"]

            return await asyncio.gather(*(ask(i) for i in range(count)))

    asyncio.run(main())


def main():
    if sys.argv[1:2] == ["--aiohttp"]:
        aiohttp_loop(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
        return
    thrash, stub = build()
    stubs = []

    def serve(delay):
        server = subprocess.Popen([stub, "--delay-ms", str(delay)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        stubs.append(server)
        return server.stdout.readline().strip()

    try:
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            environment = {"PATH": os.environ["PATH"], "HOME": name, "THRASH_DATA": str(folder / "data")}
            fast, slow = serve(0), serve(20)
            run = lambda path, url, n: [thrash, "run", str(path), "--url", url, "--concurrency", str(n)]
            v5 = folder / "thrash.yaml"
            # The preset allows 12 requests in flight; the figure asks for more.
            v5.write_text("target: stub\ntargets: {stub: {extends: ash-v5, base_url: 'http://127.0.0.1:1', limits: {concurrency: 1000}}}\n")
            environment["THRASH_CONFIG"] = str(v5)
            cases = {
                "350 phrases, 0 ms stub, 10 at once": run(suite(folder, 350), fast, 10),
                "350 phrases, 20 ms stub, 50 at once": run(suite(folder, 350), slow, 50),
                "3,728 phrases, 0 ms stub, 10 at once": run(suite(folder, 3728), fast, 10),
                "thrash --help": [thrash, "--help"],
            }
            try:
                import aiohttp  # noqa: F401

                loop = [sys.executable, __file__, "--aiohttp", fast, "350", "10"]
                cases["aiohttp loop, 350 requests, 10 at once, nothing stored"] = loop
            except ImportError:
                print("aiohttp is not installed: no comparison (python3 -m pip install aiohttp)")
            seen = {case: [] for case in cases}
            for _ in range(RUNS):
                for case, command in cases.items():
                    seen[case].append(once(command, environment))
            print(f"{'':<58}{'wall':>9}{'fastest':>10}{'memory':>11}")
            for case, wall in seen.items():
                memory = statistics.median(peak_memory(cases[case], environment) for _ in range(3))
                print(f"{case:<58}{statistics.median(wall) * 1e3:>6.0f} ms{min(wall) * 1e3:>7.0f} ms{memory:>7.1f} MiB")
    finally:
        for server in stubs:
            server.stdin.close()
            server.wait(timeout=5)


if __name__ == "__main__":
    main()
