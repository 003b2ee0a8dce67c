#!/usr/bin/env python3
"""The load engines beside other tools: what a request costs them, and whether they see a target stall.

Usage: benches/load.py [cost|honesty|rate|memory]... [--rounds N] [--seconds S] [--minutes M]

cost      client CPU a request, 50 connections, POST of a small JSON, stub on the first core and client on the second: both
          engines with every answer judged, a bare goose program, wrk and oha where they are installed
honesty   1,000 starts/s at a 5 ms target that stalls 500 ms every 5 s, against the truth that the target logs
rate      rate achieved of the rate intended, up to what the machine can send
memory    resident memory over M minutes of 17,000 requests a second, minute by minute; the aim is flat and below 60 MiB

Everything is measured in one run, turn by turn, because two numbers from different minutes of a busy machine cannot be
compared. All traffic stays on loopback.
"""

import argparse
import asyncio
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BODY = json.dumps({"message": "I cannot go on like this any more", "id": "p-1"})
JUDGED_STARTS, OHA = "thrash, open engine, every answer judged", "oha, nothing judged"
JUDGED_USERS, BARE_GOOSE = "thrash, users on goose, every answer judged", "bare goose, nothing judged"
TARGET = """
target: stub
targets:
  stub:
    base_url: http://127.0.0.1:1
    health: {path: /health}
    request: {path: /analyze, body: {message: "${text}", id: "${nonce}"}}
    response: {level: body.level, score: body.score}
    examples: [{reads: high, body: {level: high, score: 0.7}}]
"""
PHRASES = """
category: made_up
expected: [high]
phrases:
  - {id: p-1, text: I cannot go on like this any more}
  - {id: p-2, text: It hurts too much to get up today}
"""


def build():
    paths = {}
    benches = ["--bench", "stub", "--bench", "goose"]
    command = ["cargo", "build", "--release", "--bin", "thrash", *benches, "--message-format=json"]
    for line in subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines():
        message = json.loads(line)
        if message.get("executable"):
            paths[message["target"]["name"]] = message["executable"]
    return paths["thrash"], paths["stub"], paths["goose"]


def on_core(core, command):
    cores = os.cpu_count() or 1
    return ["taskset", "-c", str(core % cores), *command] if shutil.which("taskset") else command


def cpu_of(command, environment):
    """Processor seconds and output of a command, with those of its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done


class Place:
    """A folder with the target, the phrases and a scenario of these lines."""

    def __init__(self, thrash):
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name)
        self.thrash = thrash
        (self.path / "thrash.yaml").write_text(TARGET)
        (self.path / "words.yaml").write_text(PHRASES)
        self.environment = {"PATH": os.environ["PATH"], "HOME": self.folder.name, "THRASH_DATA": str(self.path / "data")}

    def command(self, url, scenario):
        file = self.path / "s.yaml"
        file.write_text("title: A measurement\nphrases: {suite: words.yaml}\n" + scenario)
        record = self.path / "record.json"
        flags = ["--url", url, "--database-url", "none", "--quiet", "--json", str(record)]
        return [self.thrash, "load", str(file), "--config", str(self.path / "thrash.yaml"), *flags]

    def run(self, url, scenario, core=1):
        command = on_core(core, self.command(url, scenario))
        seconds, done = cpu_of(command, {**self.environment, "PWD": str(self.path)} | {})
        if done.returncode not in (0, 1, 4):
            raise SystemExit(f"{command} ended with {done.returncode}: {done.stderr}")
        return seconds, json.loads((self.path / "record.json").read_text())


def stub_on_first_core(stub):
    server = subprocess.Popen(
        on_core(0, [stub, "--small"]), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    return server, server.stdout.readline().strip()


def cost(thrash, stub, rounds, seconds, goose):
    """Microseconds of processor time a request."""
    place = Place(thrash)
    os.chdir(place.path)
    server, url = stub_on_first_core(stub)
    lua = place.path / "post.lua"
    lua.write_text(
        f"wrk.method = 'POST'\nwrk.body = '{BODY}'\nwrk.headers['Content-Type'] = 'application/json'\n")
    scenario = (
        f"model: arrivals\nrate: RATE/s\nduration: {seconds}s\nmax_in_flight: 50\ngates: [error_rate <= 1%]\n"
        "abort_when: {unhealthy: false, error_rate: 100%}\n")

    def ours(rate):
        spent, record = place.run(url, scenario.replace("RATE", str(rate)))
        return spent * 1e6 / record["load"]["counts"]["started"], record["load"]["counts"]["started"] / seconds

    def wrk():
        spent, done = cpu_of(on_core(1, ["wrk", "-t1", "-c50", f"-d{seconds}s", "-s", str(lua), url + "/analyze"]), None)
        count = int(next(line.split()[0] for line in done.stdout.splitlines() if "requests in" in line))
        return spent * 1e6 / count, count / seconds

    def oha(program):
        command = [program, "-z", f"{seconds}s", "-c", "50", "-m", "POST", "-d", BODY, "-T", "application/json"]
        spent, done = cpu_of(on_core(1, [*command, "--no-tui", "--output-format", "json", url + "/analyze"]), None)
        found = json.loads(done.stdout)
        count = sum(found["statusCodeDistribution"].values())
        return spent * 1e6 / count, count / seconds

    def bare_goose():
        spent, done = cpu_of(on_core(1, [goose, url, "50", str(seconds)]), None)
        count = int(done.stdout.split()[-1])
        return spent * 1e6 / count, count / seconds

    # The others send as fast as they can; below that a start is a wake-up of its own.
    cases = {JUDGED_STARTS: lambda: ours(120_000), "the same at 60,000 starts/s": lambda: ours(60_000)}
    users = scenario.replace("model: arrivals\nrate: RATE/s", "model: users\nusers: 50").replace("max_in_flight: 50\n", "")

    def closed():
        spent, record = place.run(url, users)
        return spent * 1e6 / record["load"]["counts"]["started"], record["load"]["counts"]["started"] / seconds

    cases[JUDGED_USERS] = closed
    cases[BARE_GOOSE] = bare_goose
    if shutil.which("wrk"):
        cases["wrk"] = wrk
    if shutil.which("oha"):
        cases[OHA] = lambda: oha(shutil.which("oha"))
    seen = {case: [] for case in cases}
    try:
        for _ in range(rounds):
            for case, measure in cases.items():
                seen[case].append(measure())
    finally:
        server.stdin.close()
        server.wait(timeout=5)
    print(f"\n{'50 connections, ' + str(seconds) + ' s, medians of ' + str(rounds):<50}{'CPU a request':>15}{'requests/s':>13}")
    for case, found in seen.items():
        spent, rate = (statistics.median(column) for column in zip(*found))
        print(f"{case:<50}{spent:>12.1f} µs{rate:>13,.0f}")
    # Turn by turn: each pair was measured in the same minute.
    for judged, bare, words in [(JUDGED_STARTS, OHA, "starts judged / oha"), (JUDGED_USERS, BARE_GOOSE, "users judged / bare goose")]:
        ratios = [ours / other for (ours, _), (other, _) in zip(seen[judged], seen.get(bare, []))]
        if ratios:
            print(f"{words + ', a request (aim: 1.1)':<50}{statistics.median(ratios):>12.2f}")


class Stalling(threading.Thread):
    """A 5 ms target that stalls 500 ms every 5 s, and logs when it answered which request."""

    def __init__(self):
        super().__init__(daemon=True)
        self.done, self.first, self.ready = {}, None, threading.Event()

    def run(self):
        asyncio.run(self.serve())

    async def serve(self):
        server = await asyncio.start_server(self.answer, "127.0.0.1", 0)
        self.url = "http://127.0.0.1:%d" % server.sockets[0].getsockname()[1]
        self.ready.set()
        await server.serve_forever()

    async def answer(self, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                if head.startswith("get"):
                    body = b'{"status":"ok"}'
                else:
                    length = int(head.split("content-length:")[1].split("\r\n")[0])
                    count = int(json.loads(await reader.readexactly(length))["id"].rsplit("-", 1)[1])
                    now = time.monotonic()
                    if self.first is None:
                        self.first = now
                    # The stalls: half a second from 2.5 s on, in every five.
                    phase = (now - self.first) % 5
                    await asyncio.sleep(0.005 + (3 - phase if 2.5 <= phase < 3 else 0))
                    self.done[count] = time.monotonic()
                    body = b'{"level":"high","score":0.7}'
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


def honesty(thrash, seconds):
    place = Place(thrash)
    os.chdir(place.path)
    print(f"\n{'1,000 starts/s, 5 ms, stalls of 500 ms every 5 s':<50}{'p95':>10}{'p99':>10}")
    for name, lanes in [("thrash, up to 600 requests on their way", 600), ("thrash, up to 50", 50)]:
        target = Stalling()
        target.start()
        target.ready.wait()
        scenario = (
            f"model: arrivals\nrate: 1000/s\nduration: {seconds}s\nmax_in_flight: {lanes}\ngates: [error_rate <= 1%]\n"
            "abort_when: {unhealthy: false}\n")
        _, record = place.run(target.url, scenario)
        begun = target.first
        truth = sorted(done - begun - count / 1000 for count, done in target.done.items())
        at = lambda q: truth[min(len(truth) - 1, int(q * len(truth)))] * 1e3
        print(f"{'  the truth, at the target':<50}{at(0.95):>7.0f} ms{at(0.99):>7.0f} ms")
        for what, key in [("response time", "latency"), ("service time", "attempt_latency")]:
            print(f"{'  ' + name + ': ' + what:<50}{record[key]['p95_ms']:>7.0f} ms{record[key]['p99_ms']:>7.0f} ms")


def rate(thrash, stub, seconds):
    place = Place(thrash)
    os.chdir(place.path)
    server, url = stub_on_first_core(stub)
    print(f"\n{'intended':>10}{'started':>12}{'of it':>9}{'lag p99':>11}{'busy':>8}")
    try:
        for wanted in [1_000, 5_000, 10_000, 20_000, 30_000, 40_000, 60_000]:
            scenario = (
                f"model: arrivals\nrate: {wanted}/s\nduration: {seconds}s\nmax_in_flight: 100\ngates: [error_rate <= 1%]\n"
                "abort_when: {unhealthy: false}\n")
            _, record = place.run(url, scenario)
            load = record["load"]
            begun = [second["started"] / load["second_s"] for second in load["seconds"][1:seconds]]
            busy = statistics.median(second["cpu"] for second in load["seconds"][1:seconds])
            lag = load["generator"]["lag"]["p99_ms"]
            print(f"{wanted:>10,}{statistics.median(begun):>12,.0f}{100 * statistics.median(begun) / wanted:>8.2f}%{lag:>8.2f} ms{100 * busy:>7.0f}%")
    finally:
        server.stdin.close()
        server.wait(timeout=5)


def memory(thrash, stub, minutes):
    """Resident memory of both engines, with all their processes."""
    place = Place(thrash)
    os.chdir(place.path)
    shared = f"duration: {minutes * 60}s\ngates: [error_rate <= 1%]\nabort_when: {{unhealthy: false}}\n"
    for name, model in [
        ("arrivals", "model: arrivals\nrate: 17000/s\nmax_in_flight: 50\n"),
        ("users", "model: users\nusers: 50\nmax_rate: 17000/s\n"),
    ]:
        server, url = stub_on_first_core(stub)
        process = subprocess.Popen(on_core(1, place.command(url, model + shared)), env=place.environment)
        seen, begun = [], time.monotonic()
        try:
            while process.poll() is None:
                seen.append((time.monotonic() - begun, resident(process.pid)))
                time.sleep(0.5)
        finally:
            server.stdin.close()
            server.wait(timeout=5)
        count = json.loads((place.path / "record.json").read_text())["load"]["counts"]["started"]
        by_minute = [
            max(mib for at, mib in seen if minute * 60 <= at < minute * 60 + 60)
            for minute in range(minutes) if any(minute * 60 <= at < minute * 60 + 60 for at, _ in seen)]
        # The first minute warms up, and the end renders the reports.
        grown = by_minute[-1] - by_minute[min(1, len(by_minute) - 1)]
        print(f"\n{name}: {count:,} requests in {minutes} min; resident, MiB, minute by minute: "
              + " ".join(f"{mib:.1f}" for mib in by_minute))
        print(f"at most {max(mib for _, mib in seen):.1f} MiB (aim: 60), grown by {grown:+.1f} after the first minute")


def resident(pid):
    """MiB of a process and its children. A page that they share, such as of the program itself, counts once."""
    found = 0
    for process in [pid, *children(pid)]:
        try:
            rollup = pathlib.Path(f"/proc/{process}/smaps_rollup").read_text()
            found += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) / 1024
        except OSError:
            pass
    return found


def children(pid):
    try:
        tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=["cost", "honesty", "rate"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=6)
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--thrash", nargs=3, metavar=("THRASH", "STUB", "GOOSE"), help="programs that are built already")
    given = parser.parse_args()
    thrash, stub, goose = given.thrash or build()
    for part in given.parts:
        if part == "cost":
            cost(thrash, stub, given.rounds, given.seconds, goose)
        elif part == "honesty":
            honesty(thrash, max(given.seconds, 20))
        elif part == "rate":
            rate(thrash, stub, given.seconds)
        elif part == "memory":
            memory(thrash, stub, given.minutes)
        else:
            sys.exit(f"there is no part `{part}`: cost, honesty, rate, memory")


if __name__ == "__main__":
    main()
