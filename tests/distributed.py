"""The trial of what is distributed, started by `tests/run distributed`.

Sales of a thousand stores lie on four MariaDB servers, behind the Spider engine of a fifth. The state lies on a
Galera cluster of three nodes. Four shards watch them. One is killed in the middle of telling, and so is the node
of the cluster that all of them use. In the end exactly the planted incidents were told, each once, but for copies
under the same id.

Everything runs on this machine, in a folder that goes with it. Times of runs are set by libfaketime.
"""

import collections
import getpass
import glob
import http.server
import json
import math
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

BINARY = pathlib.Path(sys.argv[1]).resolve()
STORES = int(os.environ.get("BANDWATCH_STORES", "1000"))
DAYS = 14
SHARDS = 4
# As long as one run may take; what a run holds is held six seconds longer.
DEADLINE = 25
LEASE = DEADLINE + 6
# 12:00 of this day is where history ends.
DAY = "2026-11-22"
# Stores whose sales fall at 12:00, and at 13:00.
FIRST = [store for store in range(STORES) if store % 25 == 3]
SECOND = [store for store in range(STORES) if store % 40 == 7]

# By whom servers are run: where root runs this, by the user that Debian has for them, as rsync, which copies a node,
# gives up the rights of root.
USER = "mysql" if os.getuid() == 0 else getpass.getuser()

home = pathlib.Path(tempfile.mkdtemp(prefix="bandwatch-distributed-"))
home.chmod(0o755)
started = []


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """A MariaDB server in a folder of its own."""

    def __init__(self, name, options=()):
        self.name, self.port = name, free_port()
        self.folder = home / name
        self.socket = self.folder / "socket"
        (self.folder / "tmp").mkdir(parents=True)
        for folder in [self.folder, self.folder / "tmp"]:
            shutil.chown(folder, USER)
        self.options = list(options)
        self.usual = [
            "--no-defaults",
            f"--datadir={self.folder}/data",
            f"--tmpdir={self.folder}/tmp",
            f"--user={USER}",
            "--innodb-buffer-pool-size=64M",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-log-file-size=16M",
            "--skip-name-resolve",
        ]
        subprocess.run(
            ["mariadb-install-db", *self.usual, "--auth-root-authentication-method=normal", "--skip-test-db"],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )

    def start(self, *more):
        log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(
            ["mariadbd", *self.usual, f"--socket={self.socket}", f"--port={self.port}", "--bind-address=127.0.0.1",
             f"--pid-file={self.folder}/pid", *self.options, *more],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL,
        )
        started.append(self.process)
        end = time.monotonic() + 120
        while True:
            asked = self.client("SELECT 1", check=False)
            if asked.returncode == 0:
                return self
            if time.monotonic() > end or self.process.poll() is not None:
                log = (self.folder / "log").read_text(errors="replace")
                sys.exit(f"{self.name} did not start:\n{log[-4000:]}")
            time.sleep(0.2)

    def client(self, sql, database="", check=True):
        done = subprocess.run(
            ["mariadb", "--no-defaults", f"--socket={self.socket}", "--user=root", "--batch", "--skip-column-names", database],
            input=sql, text=True, capture_output=True,
        )
        if check and done.returncode != 0:
            sys.exit(f"{self.name}: {done.stderr}\nin {sql[:400]}")
        return done

    def rows(self, sql, database=""):
        return [line.split("\t") for line in self.client(sql, database).stdout.splitlines()]


class Receiver(http.server.BaseHTTPRequestHandler):
    """Takes what is told. From a number of messages on it may keep the runs waiting, so that one can be killed
    in the middle of telling."""

    told = []
    lock = threading.Lock()
    may_answer = threading.Event()
    answered_at_once = 0

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.lock:
            self.told.append(body)
            keeps_waiting = len(self.told) > self.answered_at_once
        if keeps_waiting:
            self.may_answer.wait()
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def say(text):
    print(f"distributed: {text}", flush=True)


def start_data():
    shop = "CREATE DATABASE shop; CREATE USER 'app'@'%' IDENTIFIED BY 'app'; GRANT ALL ON shop.* TO 'app'@'%';"
    table = "CREATE TABLE sales (at DATETIME NOT NULL, store INT NOT NULL, amount DOUBLE NOT NULL, PRIMARY KEY (store, at), KEY (at))"
    parts = [Server(f"data{number}") for number in range(4)]
    for part in parts:
        part.start().client(shop + "USE shop;" + table)
    for number, part in enumerate(parts):
        hours = DAYS * 24 + 12
        part.client(
            f"INSERT INTO sales SELECT '{DAY} 12:00' - INTERVAL {hours} HOUR + INTERVAL hour.seq HOUR, store.seq * 4 + {number},"
            f" ROUND(1000 + 300 * SIN(hour.seq % 24 / 24 * 2 * PI()) + (hour.seq * 7919 + store.seq * 104729) % 13)"
            f" FROM seq_0_to_{hours - 1} AS hour JOIN seq_0_to_{STORES // 4 - 1} AS store",
            "shop",
        )
    head = Server("head").start()
    head.client("INSTALL SONAME 'ha_spider'")
    head.client(shop)
    servers = "".join(
        f"CREATE SERVER part{number} FOREIGN DATA WRAPPER mysql OPTIONS (HOST '127.0.0.1', PORT {part.port}, USER 'app', PASSWORD 'app', DATABASE 'shop');"
        for number, part in enumerate(parts)
    )
    partitions = ", ".join(f"""PARTITION p{number} COMMENT = 'server "part{number}"'""" for number in range(4))
    head.client(
        servers + table + """ ENGINE = Spider COMMENT = 'wrapper "mysql", table "sales"'"""
        + f" PARTITION BY HASH (store) ({partitions})",
        "shop",
    )
    counts = [part.rows("SELECT COUNT(*) FROM sales", "shop")[0][0] for part in parts]
    total = head.rows("SELECT COUNT(*) FROM sales", "shop")[0][0]
    say(f"{total} rows of {STORES} stores by Spider over four servers ({', '.join(counts)})")
    return head


def start_cluster():
    provider = next(iter(glob.glob("/usr/lib/galera/libgalera_smm.so") + glob.glob("/usr/lib*/galera-4/libgalera_smm.so")), None)
    if provider is None:
        sys.exit("distributed: no libgalera_smm.so; install galera-4")
    ports = [free_port() for _ in range(3)]
    address = "gcomm://" + ",".join(f"127.0.0.1:{port}" for port in ports)
    nodes = []
    for number, port in enumerate(ports):
        node = Server(f"node{number}", [
            "--wsrep-on=ON", f"--wsrep-provider={provider}", f"--wsrep-cluster-address={address}",
            f"--wsrep-node-address=127.0.0.1:{port}", f"--wsrep-node-name=node{number}",
            "--wsrep-cluster-name=bandwatch", "--binlog-format=ROW", "--innodb-autoinc-lock-mode=2",
            "--wsrep-sst-method=rsync", f"--wsrep-sst-receive-address=127.0.0.1:{free_port()}",
            f"--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:{port};ist.recv_addr=127.0.0.1:{free_port()};gcache.size=16M",
        ])
        node.start(*(["--wsrep-new-cluster"] if number == 0 else []))
        nodes.append(node)
    nodes[0].client("CREATE DATABASE watch; CREATE USER 'watch'@'%' IDENTIFIED BY 'watch'; GRANT ALL ON watch.* TO 'watch'@'%'")
    end = time.monotonic() + 60
    while size(nodes[0]) != "3":
        if time.monotonic() > end:
            sys.exit("distributed: the cluster did not come together")
        time.sleep(0.5)
    say("a Galera cluster of three nodes")
    return nodes


def size(node):
    return node.rows("SHOW STATUS LIKE 'wsrep_cluster_size'")[0][1]


def configure(head, nodes, port):
    (home / "watch").write_text("watch\n")
    hosts = ", ".join(f'"127.0.0.1:{node.port}"' for node in nodes)
    (home / "config.toml").write_text(f"""
timezone = "UTC"
deadline = "{DEADLINE}s"
[mysql]
host = "127.0.0.1"
port = {head.port}
user = "app"
database = "shop"
[state]
hosts = [{hosts}]
user = "watch"
database = "watch"
password_file = "{home}/watch"
[[channel]]
name = "hook"
kind = "webhook"
url = "http://127.0.0.1:{port}/"
digest_over = 1000
[[metric]]
name = "sales"
table = "sales"
time_column = "at"
value_column = "amount"
every = "1h"
window = "{DAYS}d"
delay = "0s"
group_by = ["store"]
max_false_alerts = "1/week"
""")


def environment(at):
    library = next(iter(glob.glob("/usr/lib/*/faketime/libfaketime.so.1") + glob.glob("/usr/lib/faketime/libfaketime.so.1")), None)
    if library is None:
        sys.exit("distributed: no libfaketime; install faketime")
    return {
        "PATH": os.environ["PATH"], "HOME": str(home), "XDG_STATE_HOME": str(home / "state"), "mysql_password": "app",
        "LD_PRELOAD": library, "FAKETIME": f"@{DAY} {at}:00", "DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1", "TZ": "UTC",
    }


def begin(at, *arguments):
    return subprocess.Popen(
        [BINARY, "--config", str(home / "config.toml"), *arguments], env=environment(at), cwd=home,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL,
    )


def end(run, expected=(0,)):
    printed, complaints = run.communicate(timeout=180)
    if run.returncode not in expected:
        sys.exit(f"distributed: a run ended with {run.returncode}:\n{printed[-2000:]}{complaints[-2000:]}")
    return printed + complaints


def run_all(at):
    begun = time.monotonic()
    runs = [begin(at, "--shard", f"{number}/{SHARDS}") for number in range(1, SHARDS + 1)]
    for run in runs:
        end(run)
    return time.monotonic() - begun


def sell(head, hour, struck):
    at = f"'{DAY} {hour}:00'"
    clock = int(hour[:2])
    wave = 1000 + 300 * math.sin(clock / 24 * 2 * math.pi)

    def amount(store):
        usual = round(wave) + ((DAYS * 24 + clock) * 7919 + store // 4 * 104729) % 13
        return usual * (0.3 if store in struck else 1)

    values = ", ".join(f"({at}, {store}, {amount(store)})" for store in range(STORES))
    head.client(f"INSERT INTO sales VALUES {values}", "shop")


def opened():
    """The ids of messages that told of a beginning, by the store."""
    found = collections.defaultdict(list)
    with Receiver.lock:
        for message in Receiver.told:
            for alert in message["alerts"]:
                if alert["kind"] in ("low", "high"):
                    found[alert["metric"]].append(message["id"])
    return found


def wait_for(what, is_so, seconds=60):
    until = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > until:
            sys.exit(f"distributed: waited in vain for {what}")
        time.sleep(0.005)


def name(store):
    return f"sales{{store={store}}}"


def check(planted):
    found = opened()
    names = {name(store) for store in planted}
    copies = sum(len(ids) - 1 for ids in found.values())
    lost, invented = sorted(names - set(found)), sorted(set(found) - names)
    twice = {store: ids for store, ids in found.items() if len(set(ids)) > 1}
    if lost or invented or twice:
        sys.exit(f"distributed: FAILED: lost {lost[:10]}, invented {invented[:10]}, twice under different ids {dict(list(twice.items())[:5])}")
    return copies


def trial():
    receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    Receiver.may_answer.set()
    head, nodes = start_data(), start_cluster()
    configure(head, nodes, receiver.server_address[1])
    end(begin("12:00", "create-tables"))
    say(f"four shards that know nothing yet: {run_all('12:00'):.1f} s")

    sell(head, "12:00", FIRST)
    # None has all of them, so none is done when all have to wait.
    Receiver.answered_at_once = len(FIRST) // 8
    Receiver.may_answer.clear()
    runs = {number: begin("13:00", "--shard", f"{number}/{SHARDS}") for number in range(1, SHARDS + 1)}
    wait_for("messages", lambda: len(Receiver.told) > Receiver.answered_at_once)
    victim = next(number for number, run in runs.items() if run.poll() is None)
    runs[victim].send_signal(signal.SIGKILL)
    told = len(opened())
    end(runs.pop(victim), expected=(-signal.SIGKILL,))
    Receiver.may_answer.set()
    for run in runs.values():
        end(run)
    say(f"shard {victim}/{SHARDS} was killed when {told} of {len(FIRST)} incidents were told, and the others told {len(opened()) - told} more")
    held = end(begin("13:01", "--shard", f"{victim}/{SHARDS}"))
    if "another run is still at work" not in held:
        sys.exit(f"distributed: what a dead run holds was not respected: {held}")
    time.sleep(LEASE)
    run_all("13:02")
    say(f"taken over after {LEASE} s: {len(opened())} of {len(FIRST)} told, {check(FIRST)} of them twice under the same id")

    sell(head, "13:00", FIRST + SECOND)
    runs = [begin("14:00", "--shard", f"{number}/{SHARDS}") for number in range(1, SHARDS + 1)]
    wait_for("the shards to hold their series", lambda: nodes[1].rows("SELECT COUNT(*) FROM watch.bandwatch_state WHERE token <> ''")[0][0] != "0")
    nodes[0].process.kill()
    exits = [run.wait(timeout=180) for run in runs]
    complaints = [run.stderr.read().strip() for run in runs]
    say(f"a node of the cluster was killed while they ran; they ended with {exits}")
    for complaint in filter(None, complaints):
        say(f"  {complaint[:200]}")
    if any(exits):
        time.sleep(LEASE)
    run_all("14:01")
    say(f"the cluster has {size(nodes[1])} nodes now; {len(opened())} incidents told")

    for hour in range(14, 22):
        sell(head, f"{hour}:00", [])
        took = run_all(f"{hour + 1}:00")
    say(f"four shards, a new bucket: {took:.1f} s")
    copies = check(FIRST + SECOND)
    over = {alert["metric"] for message in Receiver.told for alert in message["alerts"] if alert["kind"] == "over"}
    going_on = {name(store) for store in FIRST + SECOND} - over
    if going_on:
        sys.exit(f"distributed: FAILED: not told to be over: {sorted(going_on)}")
    say(f"told: {len(opened())} of {len(set(FIRST + SECOND))} planted incidents of {STORES} series, none else; {copies} twice under the same id")
    say("not tried: TiDB, Vitess, StarRocks, Aurora")
    print("1 passed, 0 failed")


try:
    trial()
finally:
    for process in started:
        process.kill()
    for process in started:
        process.wait()
    if os.environ.get("BANDWATCH_KEEP"):
        say(f"kept: {home}")
    else:
        shutil.rmtree(home, ignore_errors=True)
