"""The database server that the benchmarks run beside what they time, and what they ask of it."""

import os
import socket
import subprocess
import sys
import time


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_database(folder, port, options=()):
    root = ["--user=root"] if os.geteuid() == 0 else []
    data = folder / "data"
    common = ["--no-defaults", f"--datadir={data}", *root]
    install = ["mariadb-install-db", *common, "--auth-root-authentication-method=normal"]
    subprocess.run(install, check=True, capture_output=True)
    server = subprocess.Popen(
        ["mariadbd", *common, *options, f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder}/socket"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    client = ["mariadb", "--no-defaults", f"--socket={folder}/socket", "-u", "root"]
    for _ in range(200):
        if subprocess.run([*client, "-e", "SELECT 1"], capture_output=True).returncode == 0:
            return server, client
        time.sleep(0.05)
    sys.exit("mariadbd did not start")


def rows_sent(client):
    shown = subprocess.run([*client, "-N", "-e", "SHOW GLOBAL STATUS LIKE 'Rows_sent'"], check=True, capture_output=True)
    return int(shown.stdout.split()[1])
