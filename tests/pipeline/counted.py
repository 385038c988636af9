# SPDX-License-Identifier: Apache-2.0
"""What the tests here share: counted checks, and a stream read by pyarrow."""
import io
import json


class Count:
    """Checks that are counted, and told where they fail."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.case = ""

    def _say(self, word, *what):
        parts = [p for p in (self.case, *what) if str(p)]
        print(word, ": ".join(str(p)[:1500] for p in parts), flush=True)

    def check(self, name, fine, *what):
        self.passed += bool(fine)
        self.failed += not fine
        if not fine:
            self._say("FAILED", name, *what)
        return fine

    def skip(self, *why):
        self.skipped += 1
        self._say("skipped:", *why)

    def finish(self):
        """The last line of a test; its exit code."""
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        return 1 if self.failed or not self.passed else 0


def read_stream(stream):
    """The table of a stream, checked by pyarrow, and the lineage of its trailer."""
    import pyarrow as pa
    import pyarrow.ipc as ipc
    batches, trailer = [], None
    reader = ipc.open_stream(io.BytesIO(stream))
    while True:
        try:
            batch, meta = reader.read_next_batch_with_custom_metadata()
        except StopIteration:
            break
        batches.append(batch)
        if meta and b"sl:trailer" in meta:
            trailer = json.loads(meta[b"sl:trailer"])
    table = pa.Table.from_batches(batches, reader.schema)
    table.validate(full=True)
    return table, trailer["lineage"]
