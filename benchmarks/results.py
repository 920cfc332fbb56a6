"""What a run of the whole table leaves: its text and its records, written together or not at all."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tilegrad.files import replacing

Record = Mapping[str, Any]


def as_lines(records: Sequence[Record]) -> str:
    """JSON, a record a line."""
    return "".join(json.dumps(record) + "\n" for record in records)


def name_of(facts: Record) -> str:
    """Date, processor and threads; and the table, if it is not that of the networks.

    >>> name_of({"measured": "2026-01-02T03:04:05Z", "processor": "AMD EPYC (compiled for znver4)", "threads": 2})
    '2026-01-02-amd-epyc-znver4-2-threads'
    """
    processor = re.sub(r"\((R|TM)\)|compiled for|CPU|@.*?(?=\(|$)", " ", str(facts["processor"]))
    words = re.findall(r"[a-z0-9]+", processor.lower())
    threads = f"{facts['threads']}-thread{'s' if facts['threads'] > 1 else ''}"
    table = facts.get("table", "networks")
    return "-".join([str(facts["measured"])[:10], *words, threads, *([] if table == "networks" else [table])])


def save(folder: Path, text: str, records: Sequence[Record]) -> list[Path]:
    """Write ``<name>.txt`` and ``<name>.jsonl`` of one run; both are complete before either gets its name."""
    stem = Path(folder) / name_of(records[0])
    paths = [stem.with_name(f"{stem.name}.txt"), stem.with_name(f"{stem.name}.jsonl")]
    with replacing(paths[0]) as table, replacing(paths[1]) as lines:
        table.write_text(text)
        lines.write_text(as_lines(records))
    return paths
