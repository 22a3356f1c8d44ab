"""Finish what the codemod left to people. It leaves notes: comments with TODO, each above a statement.

notes.py arguments LIBRARY        changes keyword arguments in calls of the library by the rules in $RULES, which are
                                  separated by `;`: `old=value -> new=value` changes one value, `old -> new` renames the
                                  argument, `old=value ->` removes it. Deletes the notes that ask only for that. Prints
                                  the number of changes
notes.py list                     prints [{path, line}] of the notes, and keeps what `show` and `write` need in
                                  ~/notes.json
notes.py show PATH LINE           prints {note, code, advice} for one note: its text, the lines of its statement with
                                  numbers, and the paragraphs of $GUIDE whose first `name` is in one of them
notes.py write PATH LINE LIBRARY  replaces lines of the statement by $LINES, [{line, text}], deletes the note, and
                                  corrects the imports from the library
notes.py left                     prints every note that is left, one on each line
"""

import ast
import fcntl
import importlib
import json
import os
import pathlib
import re
import subprocess
import sys
import textwrap

KEPT = pathlib.Path.home() / "notes.json"
LONGEST = 60  # lines of the longest statement that a model is shown


def git(*words):
    command = ["git", "-c", "core.quotepath=off", *words]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.decode(errors="replace")


def read(path):
    return pathlib.Path(path).read_bytes()


class Note:
    """A comment that the codemod added, and the statement below it."""

    def __init__(self, path, line):
        source = read(path)
        lines = source.splitlines(keepends=True)
        self.path, self.line, self.start = path, line, line
        while self.start <= len(lines) and lines[self.start - 1].lstrip().startswith(b"#"):
            self.start += 1
        below = (node.end_lineno for node in statements(source) if first_line(node) == self.start)
        self.end = next(below, self.start - 1)
        self.comment = b"".join(lines[line - 1 : self.start - 1]).decode(errors="replace")
        self.code = b"".join(lines[self.start - 1 : self.end]).decode(errors="replace")
        self.text = " ".join(part.strip("# ") for part in self.comment.splitlines() if "TODO" in part)


def notes():
    path, line = "", 0
    for text in git("diff", "-U0", "HEAD").split("\n"):
        if text.startswith("+++ "):
            path = text[len("+++ b/") :]
        elif text.startswith("@@"):
            line = int(re.search(r"\+(\d+)", text)[1])
        elif text.startswith("+"):
            if path.endswith(".py") and re.match(r"\+\s*#.*\bTODO\b", text):
                yield Note(path, line)
            line += 1


def statements(source):
    try:
        return [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt)]
    except (SyntaxError, ValueError):
        return []


def first_line(node):
    return min(part.lineno for part in [node, *getattr(node, "decorator_list", [])])


def names(source):
    return {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}


def imported(tree, library):
    """The names in a file that come from the library."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level and node.module.split(".")[0].lower() == library:
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            ours = [alias for alias in node.names if alias.name.split(".")[0].lower() == library]
            yield from (alias.asname or alias.name.split(".")[0] for alias in ours)


def root(node):
    while isinstance(node, ast.Attribute):
        node = node.value
    return getattr(node, "id", None)


def arguments(path, rules, library):
    source = read(path)
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    tree = ast.parse(source)
    known, changes = set(imported(tree, library)), []
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call) and root(node.func) in known):
        for word in call.keywords:
            for old, new in rules:
                name, _, value = old.partition("=")
                if word.arg == name and value in ("", ast.unparse(word.value)):
                    start = starts[word.lineno - 1] + word.col_offset
                    end = starts[word.end_lineno - 1] + word.end_col_offset
                    changes.append((start, end if value else start + len(name), new.encode(), word.lineno, name))
                    break
    done = []
    for note in notes() if changes else []:
        asked = set(re.findall(r"`(\w+)`", note.text))
        changed = {name for *_, line, name in changes if note.start <= line <= note.end}
        if note.path == path and asked and asked <= changed:
            done.append((starts[note.line - 1], starts[note.start - 1], None, 0, ""))
    for start, end, new, *_ in sorted([*changes, *done], key=lambda change: change[0], reverse=True):
        before, after = source[:start], source[end:]
        if new == b"":  # removed, with the comma after it, or else the one before it
            rest = re.sub(rb"^\s*,[ \t]*", b"", after)
            before, after = (before, rest) if rest != after else (re.sub(rb",\s*$", b"", before), after)
            if re.match(rb"\s*\n", after):
                before = re.sub(rb"\r?\n[ \t]*$", b"", before)  # its line is empty now
        source = before + (new or b"") + after
    if changes:
        pathlib.Path(path).write_bytes(source)
    return len(changes)


def written(lines, answer):
    """The lines, with the answer's lines in place of theirs. In JSON, small models write ' even where the code has "."""
    given = {item["line"]: item["text"] for item in answer}
    if not any('"' in text for text in given.values()) and not any("'" in line for line in lines):
        given = {number: text.replace("'", '"') for number, text in given.items()}
    # The answer is the whole statement, with more lines than before.
    if len(given) > len(lines) and sorted(given) == list(range(1, len(given) + 1)):
        return [given[number] for number in sorted(given)]
    if not set(given) <= set(range(1, len(lines) + 1)):
        sys.exit("The answer names a line that the statement does not have")
    return [given.get(number, line) for number, line in enumerate(lines, 1) if given.get(number) != ""]


def write(note, answer, library):
    """Replaces the statement. Refuses an answer that changes nothing, or after which the file is not Python."""
    before, source = textwrap.dedent(note["code"]), read(note["path"]).decode()
    after = "\n".join(written(before.splitlines(), answer))
    old = note["comment"] + note["code"]
    new = textwrap.indent(after + "\n", re.match(r"[ \t]*", note["code"])[0])
    if old not in source or after.split() == before.split():
        sys.exit("The answer changes nothing")
    source = source.replace(old, new.replace("\n", "\r\n") if "\r\n" in old else new, 1)
    tree = ast.parse(source)
    imports = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
    bound = {alias.asname or alias.name for node in imports for alias in node.names}
    wanted = names(after) - names(before) - bound
    missing = {name for name in wanted if hasattr(importlib.import_module(library), name)}
    unused = (names(before) - names(source)) & set(imported(tree, library))
    pathlib.Path(note["path"]).write_bytes(with_imports(source, tree, library, missing, unused).encode())


def with_imports(source, tree, library, missing, unused):
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module == library:
            text = "".join(source.splitlines(keepends=True)[node.lineno - 1 : node.end_lineno])
            added = "".join(name + ", " for name in sorted(missing))
            new = re.sub(r"\bimport\s*\(?\s*", lambda match: match[0] + added, text, count=1)
            for name in unused:
                new = re.sub(r",\s*%s\b|\b%s\s*,\s*" % (name, name), "", new)
            return source.replace(text, new, 1)
    return source


def change_arguments(library):
    rules = [[side.strip() for side in rule.split("->")] for rule in os.environ["RULES"].split(";") if "->" in rule]
    tracked = git("ls-files", "-z", "*.py").split("\0")
    files = [path for path in tracked if pathlib.Path(path).is_file() and statements(read(path))]
    return sum(arguments(path, rules, library) for path in files)


def list_notes():
    """Lists the notes, and keeps what the other commands need."""
    fitting = [note for note in notes() if note.start <= note.end < note.start + LONGEST]
    KEPT.write_text(json.dumps({f"{note.path}:{note.line}": vars(note) for note in fitting}))
    return [{"path": note.path, "line": note.line} for note in fitting]


def show(note):
    said = set(re.findall(r"\w+", note["text"] + note["code"]))
    paragraphs = os.environ["GUIDE"].split("\n\n")
    advice = [part for part in paragraphs if not said.isdisjoint(re.findall(r"`(\w+)`", part)[:1])]
    lines = textwrap.dedent(note["code"]).splitlines()
    code = "\n".join(f"{number}: {line}" for number, line in enumerate(lines, 1))
    return {"note": note["text"], "code": code, "advice": "\n\n".join(advice)}


def kept_note(path, line):
    return json.loads(KEPT.read_text())[f"{path}:{line}"]


def main(mode, *words):
    library = words[-1].replace("-", "_").lower() if words else ""
    if mode == "arguments":
        print(change_arguments(library))
    elif mode == "list":
        print(json.dumps(list_notes()))
    elif mode == "left":
        for note in notes():
            print(f"{note.path}:{note.line}: {note.text}")
    elif mode == "show":
        print(json.dumps(show(kept_note(*words[:2]))))
    elif mode == "write":
        with KEPT.open() as lock:  # one at a time: each reads and writes a whole file
            fcntl.flock(lock, fcntl.LOCK_EX)
            write(kept_note(*words[:2]), json.loads(os.environ["LINES"]), library)


main(*sys.argv[1:])
