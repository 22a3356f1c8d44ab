"""Find and rewrite datetime.utcnow() and utcfromtimestamp() below a folder.

utcnow.py list FOLDER        prints every use, one on each line
utcnow.py rewrite FOLDER     rewrites the calls that code can decide (kinds aware and naive); prints their number
utcnow.py handed-on FOLDER   prints [{path, line}] of the calls whose value is handed on, so that code can't decide;
                             keeps what `show` needs in ~/handed-on.json
utcnow.py show PATH LINE     prints {text, aware, naive, around} for such a call, as it was then
utcnow.py imports FOLDER     imports `timezone` in files that use it without an import
"""

import ast
import json
import pathlib
import re
import sys
import textwrap
import warnings

KEPT = pathlib.Path.home() / "handed-on.json"
NEW = {"utcnow": "now", "utcfromtimestamp": "fromtimestamp"}
NAIVE = ".replace(tzinfo=None)"
ZONELESS = {
    "utctimetuple",
    "timetuple",
    "date",
    "time",
    "weekday",
    "isoweekday",
    "toordinal",
    "year",
    "month",
    "day",
    "hour",
    "minute",
    "second",
    "microsecond",
}
SKIP = {".git", ".venv", "venv", "node_modules", "build", "dist", ".tox", "site-packages"}


class File:
    def __init__(self, path):
        self.path, self.source = path, path.read_bytes()
        self.lines = self.source.splitlines(keepends=True)
        self.tree = ast.parse(self.source)
        self.parent = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}
        self.modules, self.classes, self.zones, self.others = set(), set(), set(), set()
        groups = {
            (None, "datetime"): self.modules,
            ("datetime", "datetime"): self.classes,
            ("datetime", "timezone"): self.zones,
        }
        for node in ast.walk(self.tree):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                for alias in node.names:
                    origin = (getattr(node, "module", None), alias.name)
                    if origin == ("datetime", "timezone") and not isinstance(self.scope(node), ast.Module):
                        continue
                    groups.get(origin, self.others).add(alias.asname or alias.name)

    def is_class(self, node):
        if isinstance(node, ast.Attribute):
            return node.attr == "datetime" and isinstance(node.value, ast.Name) and node.value.id in self.modules
        return isinstance(node, ast.Name) and node.id in self.classes

    def references(self):
        found = [
            node
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Attribute) and node.attr in NEW and self.is_class(node.value)
        ]
        return sorted(found, key=lambda node: (node.lineno, node.col_offset))

    def text(self, node):
        start, end = self.span(node)
        return self.source[start:end].decode()

    def span(self, node):
        return self.offset(node.lineno, node.col_offset), self.offset(node.end_lineno, node.end_col_offset)

    def offset(self, line, column):
        return sum(map(len, self.lines[: line - 1])) + column

    def utc(self, owner):
        if isinstance(owner, ast.Attribute):
            return owner.value.id + ".timezone.utc"
        return min(self.zones, default="datetime_timezone" if "timezone" in self.others else "timezone") + ".utc"

    def scope(self, node):
        while not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Module)):
            node = self.parent[node]
        return node

    def uses(self, call):
        """The nodes that receive the call's value; for a local variable that is set once, those that read it."""
        around = self.parent[call]
        scope = self.scope(call)
        if (
            isinstance(around, ast.Assign)
            and len(around.targets) == 1
            and isinstance(around.targets[0], ast.Name)
            and not isinstance(scope, ast.Module)
        ):
            name = around.targets[0].id
            named = [node for node in ast.walk(scope) if isinstance(node, ast.Name) and node.id == name]
            reads = [node for node in named if isinstance(node.ctx, ast.Load)]
            if reads and len(named) == len(reads) + 1:
                return reads
        return [call]

    def kind_of_use(self, node):
        around = self.parent[node]
        if isinstance(around, ast.Attribute):
            call = self.parent[around]
            if around.attr in ZONELESS or around.attr == "strftime" and not re.search("%[zZ]", self.text(call)):
                return "aware"  # nothing shows or compares the zone
            return "naive"  # isoformat() and the like would show the zone
        is_subtracted = isinstance(around, ast.BinOp) and isinstance(around.op, ast.Sub) and around.right is node
        if isinstance(around, ast.Compare) or is_subtracted:
            return "naive"  # it meets another datetime, which has no zone
        return "handed-on"  # code can't see how it is used

    def kind(self, reference):
        call = self.parent[reference]
        if not (isinstance(call, ast.Call) and call.func is reference):
            return "reference"
        kinds = {self.kind_of_use(use) for use in self.uses(call)}
        if kinds == {"aware"}:
            return "aware"
        if "naive" in kinds or any(part.startswith("test") for part in self.path.parts):
            return "naive"  # so the test still proves the same
        return "handed-on"

    def place(self, reference):
        node = reference if self.kind(reference) == "reference" else self.parent[reference]
        text = b"".join(self.lines[node.lineno - 1 : node.end_lineno]).decode().strip()
        return {"path": self.path.as_posix(), "line": node.lineno, "kind": self.kind(reference), "text": text}

    def offer(self, reference):
        """The line as it is, with an aware datetime and with a naive one, and the code around it."""
        line, call, text = reference.lineno, self.text(self.parent[reference]), self.place(reference)["text"]
        around = b"".join(self.lines[max(0, line - 8) : line + 5]).decode()
        return {
            "text": text,
            "aware": text.replace(call, self.aware(reference)),
            "naive": text.replace(call, self.aware(reference) + NAIVE),
            "around": textwrap.dedent(around),
        }

    def aware(self, reference):
        call, owner = self.parent[reference], reference.value
        words = [self.text(argument) for argument in getattr(call, "args", [])]
        return f"{self.text(owner)}.{NEW[reference.attr]}({', '.join([*words, self.utc(owner)])})"

    def rewrite(self):
        count, source = 0, self.source
        for reference in reversed(self.references()):
            kind, call = self.kind(reference), self.parent[reference]
            if kind in ("aware", "naive"):
                start, end = self.span(call)
                new = self.aware(reference) + (NAIVE if kind == "naive" else "")
                source = source[:start] + new.encode() + source[end:]
                count += 1
        self.write(source)
        return count

    def write(self, source):
        if source != self.source:
            self.path.write_bytes(source)

    def imports(self):
        name = self.utc(ast.Name("")).split(".")[0]
        source = self.source
        for node in reversed([] if self.zones else list(self.class_imports())):
            scope = self.scope(node)
            if any(isinstance(used, ast.Name) and used.id == name for used in ast.walk(scope)):
                start, end = self.span(node)
                source = source[:start] + with_name(self.text(node), name, node.col_offset).encode() + source[end:]
        self.write(source)

    def class_imports(self):
        imports = [node for node in ast.walk(self.tree) if isinstance(node, ast.ImportFrom)]
        for node in sorted(imports, key=lambda node: node.lineno):
            if node.module == "datetime" and any(alias.name == "datetime" for alias in node.names):
                yield node


def with_name(statement, name, indent):
    word = name if name == "timezone" else "timezone as " + name
    if not statement.endswith(")"):
        return statement + ", " + word
    last = re.search(r"(\n[ \t]*)?(\w+)(,?)(\s*\))\Z", statement)
    if not last:  # the line ends in a comment
        return statement + "\n" + " " * indent + "from datetime import " + word
    return statement[: last.end(2)] + "," + (last[1] or " ") + word + last[3] + last[4]


def files(folder):
    for path in sorted(pathlib.Path(folder).rglob("*.py")):
        if SKIP.isdisjoint(path.parts):
            try:
                yield File(path)
            except SyntaxError:
                pass  # a template, or a fixture that is broken on purpose


def find(folder):
    """Finds every use, with its file and its place."""
    return [(file, use, file.place(use)) for file in files(folder) for use in file.references()]


def list_uses(folder):
    for _, _, place in find(folder)[:100]:
        print("{path}:{line}: {kind}: {text}".format(**place))


def list_handed_on(folder):
    """Prints the places, and keeps what `show` needs."""
    left = [(file, use, place) for file, use, place in find(folder) if place["kind"] == "handed-on"]
    offers = {"{path}:{line}".format(**place): file.offer(use) for file, use, place in left}
    KEPT.write_text(json.dumps(offers))
    names = [name.rsplit(":", 1) for name in offers]
    print(json.dumps([{"path": path, "line": int(line)} for path, line in names]))


def main(mode, where, *line):
    warnings.simplefilter("ignore")  # about the code that is parsed
    if mode == "list":
        list_uses(where)
    elif mode == "handed-on":
        list_handed_on(where)
    elif mode == "show":
        print(json.dumps(json.loads(KEPT.read_text())[where + ":" + line[0]]))
    elif mode == "rewrite":
        print(sum(file.rewrite() for file in files(where)))
    elif mode == "imports":
        for file in files(where):
            file.imports()


main(*sys.argv[1:])
