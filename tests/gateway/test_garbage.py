"""What the process does with memory that was given back."""

import platform
import subprocess
import sys

BLOCK, BLOCKS, BATCHES = 100 * 1024, 40, 50
SCRIPT = f"""
import resource
from gateway.garbage import keep_memory

keep_memory()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range({BATCHES}):
    batch = [bytearray(b"x") * {BLOCK} for _ in range({BLOCKS})]
    del batch
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_what_a_batch_gives_back_is_there_for_the_next():
    ran = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    pages = BLOCK * BLOCKS // 4096
    # Another C library than glibc has no such setting: there nothing is promised, and nothing breaks.
    glibc = platform.libc_ver()[0] == "glibc"
    assert not glibc or int(ran.stdout) < 5 * pages, "the kernel clears new pages for every batch"
