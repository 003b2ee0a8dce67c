#!/usr/bin/env python3
"""`thrash serve` over a full database: how fast it answers, how much memory it takes, what harms it.

Usage: benches/service.py [RUNS]    (default 10000 runs of 350 phrases; needs PostgreSQL's programs and psql)

It starts a PostgreSQL of its own (`.ci/postgres`), stores one real run and copies it in the database, each copy at
another time with other figures. Then it asks the pages one after the other, and has PostgreSQL tell how long the queries of the
trends alone took; then the read paths at 500 requests a second from their intended starts, then it holds idle connections
open and asks again.
"""

import asyncio
import json
import os
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
RUNS = int(sys.argv[1]) if sys.argv[1:] else 10_000
PHRASES = 350
ASKED, RATE, SECONDS, IDLE = 60, 500, 20, 10_000


def build():
    """Builds the program, and gives its path."""
    if os.environ.get("THRASH"):
        return os.environ["THRASH"]
    command = ["cargo", "build", "--release", "--bin", "thrash", "--message-format=json"]
    lines = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    return [json.loads(line)["executable"] for line in lines if json.loads(line).get("executable")][-1]


def sql(url, text):
    done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", url], input=text, text=True,
                          capture_output=True)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout.strip()


def fill(thrash, url, environment):
    """One real run, and copies of it back through time, half an hour apart."""
    command = [thrash, "comprehensive", "--quiet", "--no-reference"]
    # The size of the suite as configured: a part of it would stand for nothing.
    subprocess.run(command, env=environment, capture_output=True, check=False)
    columns = sql(url, "SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns WHERE table_schema "
                       "= 'ash_thrash' AND table_name = 'test_runs' AND column_name NOT IN ('id', 'run_id', 'start_time', "
                       "'end_time', 'record', 'accuracy', 'p95_ms')")
    rows = sql(url, "SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns WHERE table_schema = "
                    "'ash_thrash' AND table_name = 'test_results' AND column_name NOT IN ('id', 'test_run_id')")
    begun = time.monotonic()
    for first in range(1, RUNS, 1000):
        last = min(first + 999, RUNS - 1)
        sql(url, f"""
            SET search_path = ash_thrash;
            WITH one AS (SELECT * FROM test_runs ORDER BY id LIMIT 1),
            copies AS (
                INSERT INTO test_runs ({columns}, run_id, start_time, end_time, record, accuracy, p95_ms)
                SELECT {columns}, to_char(at, 'YYYYMMDD-HH24MISS-') || lpad(to_hex(n), 6, '0'), at, at + (end_time - start_time),
                    jsonb_set(jsonb_set(jsonb_set(record, '{{id}}', to_jsonb(to_char(at, 'YYYYMMDD-HH24MISS-') || lpad(to_hex(n), 6, '0'))),
                        '{{started_at}}', to_jsonb(to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))),
                        '{{finished_at}}', to_jsonb(to_char(at + interval '1 second', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))),
                    accuracy - (n % 7) / 350.0, p95_ms * (1 + (n % 11) / 40.0)
                FROM one, generate_series({first}, {last}) n, LATERAL (SELECT start_time - n * interval '30 minutes') _(at)
                RETURNING id)
            INSERT INTO test_results (test_run_id, {rows})
            SELECT copies.id, {rows} FROM copies, test_results WHERE test_run_id = (SELECT id FROM one);
        """)
    sql(url, "VACUUM ANALYZE ash_thrash.test_runs; VACUUM ANALYZE ash_thrash.test_results")
    found = sql(url, "SELECT (SELECT count(*) FROM ash_thrash.test_runs) || ' runs, ' || (SELECT count(*) FROM "
                     "ash_thrash.test_results) || ' results, ' || pg_size_pretty(pg_database_size(current_database()))")
    print(f"{found}; copied in {time.monotonic() - begun:.0f} s", flush=True)


def memory(process):
    """Resident MiB."""
    text = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith("VmRSS"))


def ask(url):
    """Milliseconds for an answer, read to its end."""
    begun = time.perf_counter()
    with urllib.request.urlopen(url, timeout=60) as answer:
        length = len(answer.read())
    return (time.perf_counter() - begun) * 1e3, length


def list_queries(base, root, path):
    """Milliseconds that each query for a list of runs took in PostgreSQL while a page was asked, by the runs at most in it."""
    log = pathlib.Path(sql(base, "SHOW data_directory")) / "log"
    sql(base, "ALTER SYSTEM SET log_min_duration_statement = 0")
    sql(base, "SELECT pg_reload_conf()")
    time.sleep(1)
    before = log.stat().st_size
    for _ in range(ASKED):
        ask(root + path)
    time.sleep(0.2)
    sql(base, "ALTER SYSTEM RESET log_min_duration_statement")
    sql(base, "SELECT pg_reload_conf()")
    text = log.read_bytes()[before:].decode()
    entry = re.compile(r"^\S+ \S+ \S+ \[(\d+)\] LOG:  duration: ([\d.]+) ms  (?:parse|bind|(execute)) [^:]*: .*hold_reason.* LIMIT (\d+)$", re.S)
    took, planned = {}, {}
    # An entry goes on over lines that begin with a tabulator.
    for found in map(entry.match, re.split(r"\n(?!\t)", text)):
        if found:
            process, duration, executed, limit = found.groups()
            spent = planned.pop(process, 0) + float(duration)
            if executed:
                took.setdefault(int(limit), []).append(spent)
            else:
                planned[process] = spent
    return took


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


async def at_a_rate(host, port, paths):
    """Latencies from the intended start, by path, at RATE requests a second over kept connections, and what failed."""
    free, seen, failed = [], {path: [] for path in paths}, []

    async def ask_on(connection, path):
        reader, writer = connection
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(length)
        free.append(connection)
        return head.split(b"\r\n")[0].decode()

    async def one(path, intended):
        try:
            status = None
            # The service closes a connection that was idle for `service.header_timeout`: one that was kept from a burst
            # may be gone, and may go while it is asked. Such a GET is asked again (RFC 9112, 9.3.1), as browsers do.
            while free and status is None:
                connection = free.pop()
                try:
                    status = None if connection[0].at_eof() else await ask_on(connection, path)
                except (ConnectionError, asyncio.IncompleteReadError) as error:
                    if getattr(error, "partial", None):
                        raise
            status = status or await ask_on(await asyncio.open_connection(host, port), path)
            if not status.startswith("HTTP/1.1 200"):
                failed.append(f"{path}: {status}")
            seen[path].append((time.perf_counter() - intended) * 1e3)
        except (OSError, asyncio.IncompleteReadError, StopIteration) as error:
            failed.append(f"{path}: {error!r}")

    begun, tasks = time.perf_counter() + 0.1, []
    for number in range(RATE * SECONDS):
        intended = begun + number / RATE
        wait = intended - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        tasks.append(asyncio.create_task(one(paths[number % len(paths)], intended)))
    await asyncio.gather(*tasks)
    return seen, failed


async def with_idle(host, port, url):
    """How it answers while so many connections stand open and say nothing."""
    open_ones = []
    for number in range(IDLE):
        try:
            open_ones.append(await asyncio.open_connection(host, port, local_addr=(f"127.0.0.{2 + number // 20000}", 0)))
        except OSError:
            break
    answers = [await asyncio.to_thread(ask, url) for _ in range(20)]
    for _, writer in open_ones:
        writer.close()
    return len(open_ones), [took for took, _ in answers]


def main():
    if "THRASH_TEST_POSTGRES" not in os.environ:
        os.execv(ROOT / ".ci/postgres", [str(ROOT / ".ci/postgres"), sys.executable, __file__, *sys.argv[1:]])
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    thrash, base = build(), os.environ["THRASH_TEST_POSTGRES"]
    with tempfile.TemporaryDirectory() as folder:
        url = base.rsplit("/", 1)[0] + "/thrash_bench" + ("?" + base.split("?", 1)[1] if "?" in base else "")
        sql(base, "CREATE DATABASE thrash_bench")
        environment = {"PATH": os.environ["PATH"], "HOME": folder, "DATABASE_URL": url, "ENABLE_RATE_LIMITING": "false", "TEST_PHRASES_COUNT": str(PHRASES),
                       "THRASH_METRICS_LISTEN": "127.0.0.1:0"}
        fill(thrash, url, environment)
        log = open(pathlib.Path(folder) / "log", "w")
        serve = subprocess.Popen([thrash, "serve", "--listen", "127.0.0.1:0"], env=environment, stdout=subprocess.PIPE,
                                 stderr=log, text=True, cwd=folder)
        try:
            root = serve.stdout.readline().strip()
            host, port = root.removeprefix("http://").split(":")
            while True:
                try:
                    ask(root + "/health")
                    break
                except OSError:
                    time.sleep(0.1)
            time.sleep(15)
            print(f"idle after its start: {memory(serve):.0f} MiB")
            newest = sql(url, "SELECT run_id FROM ash_thrash.test_runs ORDER BY start_time DESC LIMIT 1")
            history = "/history?suite=comprehensive&target=demo"
            pages = {"start page": "/", "list of runs": "/runs", "page of a run": f"/runs/{newest}", "page of a history": history,
                     "API: results": "/api/test/results", "API: latest": "/api/test/results/latest?target=demo",
                     "API: one result": f"/api/test/results/{newest}"}
            print(f"\n{'one after the other':<22}{'p50':>10}{'p95':>10}{'size':>12}")
            for name, path in pages.items():
                try:
                    took = [ask(root + path) for _ in range(ASKED)]
                except urllib.error.HTTPError as error:
                    print(f"{name:<22} {error}")
                    continue
                times = [each for each, _ in took]
                print(f"{name:<22}{statistics.median(times):>7.1f} ms{percentile(times, .95):>7.1f} ms{took[-1][1] / 1e3:>9.0f} kB")
            print(f"\n{'in PostgreSQL alone':<22}{'p50':>10}{'p95':>10}{'queries':>12}")
            for name, path, limit in [("a trend, 30 runs", "/", 30), ("a history, 200 runs", history, 200)]:
                times = list_queries(base, root, path).get(limit)
                if not times:
                    sys.exit(f"{name}: PostgreSQL told of no such query")
                print(f"{name:<22}{statistics.median(times):>7.1f} ms{percentile(times, .95):>7.1f} ms{len(times):>12}")
            for name, paths in {"status and metadata": ["/health", "/api/test/results/latest?target=demo", "/api/test/suites",
                                                        "/api/test/targets"],
                                "lists of runs": ["/api/test/results", "/api/test/runs"]}.items():
                seen, failed = asyncio.run(at_a_rate(host, int(port), paths))
                print(f"\n{name}: {RATE} requests/s for {SECONDS} s, {len(failed)} failed")
                for why in failed[:10]:
                    print(f"  {why}")
                for path, times in seen.items():
                    print(f"  {path:<44} p50 {statistics.median(times):6.1f} ms  p99 {percentile(times, .99):6.1f} ms")
            count, times = asyncio.run(with_idle(host, int(port), root + "/health"))
            print(f"\nwith {count} idle connections: /health p50 {statistics.median(times):.1f} ms, slowest {max(times):.1f} ms")
            print(f"memory at the end: {memory(serve):.0f} MiB")
        finally:
            serve.terminate()
            serve.wait(20)


if __name__ == "__main__":
    main()
