"""Unpack one released source distribution without running anything of it.

    python3 source_distribution.py PROJECT SHA256 FOLDER

The file is found in the package index that pip is configured with, by its sha256, and is read only once its bytes
have that hash. Its regular files are written below FOLDER, without the archive's top folder;
links and special files are left out, and a path that leads elsewhere is refused.
"""

import base64
import hashlib
import html.parser
import io
import json
import os
import pathlib
import re
import shutil
import ssl
import subprocess
import sys
import tarfile
import urllib.parse
import urllib.request

ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.5"


def pip_setting(name):
    """A setting of pip: from its environment variable, else from its configuration files."""
    value = os.environ.get("PIP_" + name.upper().replace("-", "_"))
    if value:
        return value
    command = [sys.executable, "-m", "pip", "config", "get", "global." + name]
    found = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return found.stdout.strip() if found.returncode == 0 else None


def indexes():
    first = pip_setting("index-url") or "https://pypi.org/simple"
    return [first, *(pip_setting("extra-index-url") or "").split()]


def opener():
    """Opens addresses through the proxy and the certificates that pip would use."""
    handlers = [urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=pip_setting("cert")))]
    proxy = pip_setting("proxy")
    if proxy:
        handlers.append(urllib.request.ProxyHandler({"http": proxy, "https": proxy}))
    return urllib.request.build_opener(*handlers)


def request(url):
    """A request for `url`, with the user name and password in it (as private indexes have) as a header."""
    parts = urllib.parse.urlsplit(url)
    if "@" not in parts.netloc:
        return urllib.request.Request(url)
    secret, host = parts.netloc.rsplit("@", 1)
    token = base64.b64encode(urllib.parse.unquote(secret).encode()).decode()
    return urllib.request.Request(parts._replace(netloc=host).geturl(), headers={"Authorization": "Basic " + token})


class Links(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.addresses = []

    def handle_starttag(self, tag, attributes):
        if tag == "a":
            self.addresses.append(dict(attributes).get("href") or "")


def address_of(project, sha256, open_url):
    for index in indexes():
        page_request = request(index.rstrip("/") + "/" + re.sub(r"[-_.]+", "-", project).lower() + "/")
        page_request.add_header("Accept", ACCEPT)
        with open_url(page_request, timeout=60) as page:
            base, kind, text = page.geturl(), page.headers.get_content_type(), page.read().decode()
        if kind.endswith("json"):
            found = [file["url"] for file in json.loads(text)["files"] if file["hashes"].get("sha256") == sha256]
        else:
            links = Links()
            links.feed(text)
            found = [address for address in links.addresses if address.endswith("#sha256=" + sha256)]
        if found:
            return urllib.parse.urljoin(base, found[0]).split("#")[0]
    raise SystemExit(f"no file of {project} with sha256 {sha256} in {', '.join(map(without_secret, indexes()))}")


def without_secret(url):
    return re.sub(r"//[^/@]*@", "//", url)


def fetch(project, sha256):
    open_url = opener().open
    with open_url(request(address_of(project, sha256, open_url)), timeout=60) as response:
        content = response.read()
    actual = hashlib.sha256(content).hexdigest()
    if actual != sha256:
        raise SystemExit(f"{project}: the download has sha256 {actual}, not {sha256}")
    return content


def unpack(content, folder):
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive:
            path = pathlib.PurePosixPath(member.name)
            if path.is_absolute() or ".." in path.parts:
                raise SystemExit(f"the archive holds a path that leads out of it: {member.name!r}")
            if not member.isfile() or len(path.parts) < 2:
                continue
            target = folder.joinpath(*path.parts[1:])
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.extractfile(member) as source, open(target, "xb") as copy:
                shutil.copyfileobj(source, copy)
            target.chmod(0o755 if member.mode & 0o100 else 0o644)


if __name__ == "__main__":
    project, sha256, folder = sys.argv[1:]
    unpack(fetch(project, sha256), pathlib.Path(folder))
