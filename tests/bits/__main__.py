"""`python -m tests.bits`: record the digests of this tree for this machine.

Run it before a rewrite that must not change a bit; `pytest tests/bits` holds the rewritten tree
against the record. With `--print` the digests are printed, as JSON, and not recorded.
"""

import json
import sys

from tests.bits.digests import RECORD, digest_of, machine, recorded
from tests.bits.networks import TRAININGS

digests = {name: digest_of(name) for name in TRAININGS}
if "--print" in sys.argv:
    print(json.dumps(digests))
else:
    RECORD.write_text(
        json.dumps(recorded() | {machine(): digests}, indent=1, sort_keys=True) + "\n"
    )
    print(f"recorded {len(digests)} digests for {machine()}")
