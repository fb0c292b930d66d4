"""A PostgreSQL server of its own, with the durability it has by default."""

import glob
import os
import pathlib
import pwd
import re
import subprocess
import time

from .processes import Process, free_port


class Postgres:
    """Listens on 127.0.0.1; data in `folder`, which an unprivileged user must be able to enter."""

    def __init__(self, folder, cores=None, settings=()):
        programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        self.folder = pathlib.Path(folder, "postgres")
        self.folder.mkdir()
        self.port = free_port()
        # initdb and postgres refuse to run as root.
        dropping = []
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chmod(folder, 0o755)
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            dropping = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        data = self.folder / "data"
        subprocess.run(
            [*dropping, f"{programs}/initdb", "-D", data, "-E", "UTF8", "--locale=C", "-U", "postgres", "-A", "trust"],
            check=True, capture_output=True, cwd=self.folder)
        options = [
            "listen_addresses=127.0.0.1", f"unix_socket_directories={self.folder}", "max_connections=300",
            "shared_buffers=512MB", "max_wal_size=4GB", *settings]
        self.process = Process(
            [*dropping, f"{programs}/postgres", "-D", str(data), "-p", str(self.port),
             *(word for option in options for word in ("-c", option))],
            cores, log=self.folder.parent / "postgres.log", folder=str(self.folder))
        self.pgbench = [f"{programs}/pgbench", "-n", "-h", str(self.folder), "-p", str(self.port), "-U", "postgres"]
        self.psql = [f"{programs}/psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-qAt"]
        for _ in range(200):
            if self.query("SELECT 1", "postgres") is not None:
                break
            time.sleep(0.05)
        self.query("CREATE DATABASE llmproxy", "postgres")

    def query(self, sql, database="llmproxy"):
        ran = subprocess.run([*self.psql, "-d", database, "-c", sql], capture_output=True, text=True)
        return ran.stdout.strip() if ran.returncode == 0 else None

    def bare_commit_ms(self, seconds, rate=500):
        """What one row costs here at the least: a client of PostgreSQL's own that inserts it and waits, milliseconds of the mean."""
        self.query("CREATE TABLE IF NOT EXISTS bare_commit (number bigint)")
        script = pathlib.Path(self.folder.parent, "bare-commit.sql")
        script.write_text("INSERT INTO bare_commit VALUES (1);\n")
        ran = subprocess.run(
            [*self.pgbench, "-M", "prepared", "-c", "1", "-R", str(rate), "-T", str(max(1, round(seconds))), "-r", "-f", str(script), "llmproxy"],
            capture_output=True, text=True, check=True)
        self.query("DROP TABLE bare_commit")
        return float(re.search(r"^ +([0-9.]+) .*INSERT INTO", ran.stdout, re.MULTILINE).group(1))

    @property
    def url(self):
        return f"postgres://postgres@/llmproxy?host={self.folder}&port={self.port}"

    def settings(self, pool=10):
        """What a server is told to stand on this database, the same for each."""
        return (
            "DB_DRIVER=postgres", f"DATABASE_URL={self.url}", f"DATABASE_POOL_SIZE={pool}",
            "ENCRYPTION_KEY=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")

    def stop(self):
        # SIGINT: a fast shutdown, which does not wait for clients.
        self.process.child.send_signal(2)
        self.process.child.wait(30)
