"""When a call's later public value may be entered, and what it must look like. Pure.

A lab that would like to pick the outcome could try values until one suits. So the file names one value of one moment
before anybody can know it; it is entered once, with the allocation that fixes the result; and whoever verifies the
dossier looks it up where it was published.
"""

from __future__ import annotations

import re
from datetime import datetime

from readingroom.admissions.call import CallFile
from readingroom.core.clock import rfc3339
from readingroom.core.refusal import Refusal

_HEX = re.compile(r"(?:[0-9a-f]{2}){16,128}")  # 16 bytes: fewer could be searched


def check_public_value(file: CallFile, value: str, now: datetime) -> Refusal | None:
    """Refuse to allocate without the value that the call names, with another's, or before it is public."""
    draw = file.draw
    if draw is None:
        if not value:
            return None
        reason = "This call names no public value, so none can be added: its seed alone breaks ties and draws lots."
        return Refusal("admissions/no-draw", reason)
    facts = {"named": draw.named, "at": rfc3339(draw.at)}
    if now < draw.at:
        reason = f"The value that the draw is combined with is public from {rfc3339(draw.at)}; allocate then."
        return Refusal("admissions/public-value-early", reason, facts)
    if not value:
        reason = f"Give the public value that the call names: {draw.named}. It can be entered once."
        return Refusal("admissions/public-value-missing", reason, facts)
    if not _HEX.fullmatch(value) or (draw.size and len(value) != 2 * draw.size):
        long = f"{draw.size} bytes" if draw.size else "16 to 128 bytes"
        return Refusal(
            "admissions/public-value-odd", f"The value must be {long} in lower-case hex: {draw.named}.", facts
        )
    return None
