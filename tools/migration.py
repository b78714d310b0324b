"""Print the body of a migration for one room: what its tables need beyond the schema that exists.

Usage: python tools/migration.py ROOM
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import tempfile
from pathlib import Path

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from alembic.operations.ops import MigrateOperation, UpgradeOps

import readingroom
from readingroom.store.db import Database, metadata


def import_tables() -> None:
    """Import every room's tables, so that the metadata is whole."""
    for room in pkgutil.iter_modules(readingroom.__path__, "readingroom."):
        try:
            importlib.import_module(f"{room.name}.tables")
        except ModuleNotFoundError as missing:
            if not str(missing.name).endswith(".tables"):
                raise


def main(room: str) -> None:
    """Print the operations that the room's tables need."""
    import_tables()
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'now.db'}")
        database.create()
        with database.engine.connect() as tx:
            context = MigrationContext.configure(tx, opts={"target_metadata": metadata})
            script = produce_migrations(context, metadata)
        database.close()
    wanted: list[MigrateOperation] = [
        op
        for op in (script.upgrade_ops.ops if script.upgrade_ops else [])
        if str(getattr(op, "table_name", "")).startswith(f"{room}_")
    ]
    print(render_python_code(UpgradeOps(wanted)))


if __name__ == "__main__":
    main(sys.argv[1])
