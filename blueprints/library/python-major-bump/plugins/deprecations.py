"""Find the lines of this repository that use what a library calls deprecated, by the warnings in its tests.

deprecations.py find LIBRARY      runs pytest with this file as a plugin, and keeps the warnings in ~/said.json
deprecations.py rename            renames a name if the warning gives the new name and the line has the old one once;
                                  prints the number of lines
deprecations.py doubtful          prints [{path, line}] of the other lines
deprecations.py show PATH LINE    prints {text, says} for one line: its text, and the warnings
"""

import json
import os
import pathlib
import re
import subprocess
import sys

KEPT = pathlib.Path.home() / "said.json"
RENAMED = re.compile(r"`(\w+)` (?:method|attribute|function|property) is deprecated[;,] use (?:the )?`(\w+)`")
said = {}


def pytest_warning_recorded(warning_message):
    library = os.environ["LIBRARY"].replace("-", "_").lower()
    kind, path = warning_message.category, pathlib.Path(warning_message.filename)
    words = str(warning_message.message).split(". ")[0].rstrip(".")
    old = issubclass(kind, (DeprecationWarning, PendingDeprecationWarning, FutureWarning))
    its = kind.__module__.split(".")[0].lower() == library or library in words.lower()
    if old and its and pathlib.Path.cwd() in path.parents and "site-packages" not in path.parts:
        place = (path.relative_to(pathlib.Path.cwd()).as_posix(), warning_message.lineno)
        if not has_note(*place):
            said.setdefault(place, set()).add(words)


def has_note(path, line):
    """Whether the comment above is a note: then there is more to do than to change this line."""
    above = lines_of(path)[: line - 1]
    while above and above[-1].lstrip().startswith("#"):
        if "TODO" in above.pop():
            return True
    return False


def lines_of(path):
    return [line.decode(errors="surrogateescape") for line in pathlib.Path(path).read_bytes().splitlines(keepends=True)]


def pytest_unconfigure():
    KEPT.write_text(json.dumps([[*place, sorted(words), text_of(*place)] for place, words in sorted(said.items())]))


def text_of(path, line):
    return lines_of(path)[line - 1].strip()


def renamed(text, says):
    for words in says:
        names = RENAMED.search(words)
        old = names and r"\.%s\b" % names[1]
        if not old or len(re.findall(old, text)) != 1:
            return None
        text = re.sub(old, "." + names[2], text)
    return text


def rename(path, line, says, text):
    lines = lines_of(path)
    new = renamed(text, says)
    if new:
        lines[line - 1] = lines[line - 1].replace(text, new)
        pathlib.Path(path).write_bytes("".join(lines).encode(errors="surrogateescape"))
    return bool(new)


def find(library):
    here = os.path.dirname(os.path.abspath(__file__))
    command = ["pytest", "-q", "-p", "deprecations", "-W", "always"]
    subprocess.run(command, env={**os.environ, "LIBRARY": library, "PYTHONPATH": here}, stdout=sys.stderr)


def doubtful(places):
    return [{"path": path, "line": line} for path, line, says, text in places if not renamed(text, says)]


def show(places, wanted):
    says, text = next(rest for path, line, *rest in places if [path, str(line)] == wanted)
    return {"text": text, "says": ". ".join(says)}


def main(mode, *words):
    if mode == "find":
        find(*words)
    places = json.loads(KEPT.read_text())
    if mode == "rename":
        print(sum(rename(*place) for place in places))
    elif mode == "doubtful":
        print(json.dumps(doubtful(places)))
    elif mode == "show":
        print(json.dumps(show(places, list(words))))


if __name__ == "__main__":
    main(*sys.argv[1:])
