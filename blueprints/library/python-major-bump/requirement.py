"""Find the requirements of a library that differ from the wanted versions; with `write`, change them.

requirement.py LIBRARY VERSIONS [write]     prints [{path, line, text, new}]
"""

import json
import pathlib
import re
import sys


def patterns(library):
    """The two forms of a requirement: pip's and Poetry's. The first group is the part that stays."""
    name = re.sub(r"[-_.]+", "[-_.]+", re.escape(library).replace(r"\-", "-"))
    name = r"(?<![\w.-])" + name + r"(?![\w.-])"
    version = r"[~<>=!]=?=?[^;\"'#,\n]+"
    stated = "(" + name + r"\s*(?:\[[^\]]*\])?\s*)(?:" + version + r"(?:,\s*" + version + r")*)(?<!\s)"
    poetry = "^(" + name + r"\s*=\s*(?:\{.*?version\s*=\s*)?\")[^\"]*(?=\")"
    return re.compile(stated, re.I), re.compile(poetry, re.I)


def files():
    here = pathlib.Path()
    listed = [*here.glob("*requirements*.txt"), *here.glob("requirements/*.txt")]
    stating = [pathlib.Path("pyproject.toml"), pathlib.Path("setup.cfg"), pathlib.Path("setup.py"), *listed]
    return [path for path in stating if path.is_file()]


def main(library, versions, *write):
    stated, poetry = patterns(library)
    found = []
    for path in files():
        lines = path.read_bytes().decode().splitlines(keepends=True)
        for number, line in enumerate(lines, 1):
            pattern = poetry if poetry.search(line) else stated
            new = pattern.sub(lambda match: match[1] + versions, line)
            if new != line:
                found.append({"path": str(path), "line": number, "text": line.strip(), "new": new.strip()})
                lines[number - 1] = new
        if write:
            path.write_bytes("".join(lines).encode())
    print(json.dumps(found))


main(*sys.argv[1:])
