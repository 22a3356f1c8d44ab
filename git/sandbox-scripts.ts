/**
 * Shell scripts that run in a sandbox's workspace as supervised commands. {@link systemScript} gives their words.
 *
 * Files are converted as git converts them anywhere, by the repository's .gitattributes: line ends, encodings, `$Id$`.
 * Filters have no programs here, so they do nothing. Nothing here is a security boundary: that is the quarantine.
 */

/** The folders of programs. No command in a sandbox can write to them. */
const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Starts again with a clean environment, so that nothing that a run put into its home or its environment is used. */
const cleanStart = `PATH=${systemPath}; exec env -i PATH="$PATH" LC_ALL=C HOME=/nonexistent /bin/sh -c "$0" jig "$@"`;

/** The words of the command that runs one of Jig's own scripts: with system programs only, in a clean environment. */
export function systemScript(script: string, ...args: string[]): string[] {
  return ['/bin/sh', '-c', cleanStart, script, ...args];
}

export interface Checkout {
  /** `OWNER/NAME` */
  repository: string;
  commit: string;
  /** What is checked out, unless it would be in the way of the base's name. */
  branch: string;
  author: { name: string; email: string };
  base: { branch: string; commit: string };
}

/** The words of the command that runs {@link checkoutScript}. `origin` leads nowhere, at once and without a network. */
export function checkoutCommand({ repository, commit, branch, author, base }: Checkout): string[] {
  const origin = `file:///nonexistent/${repository}.git`;
  return systemScript(checkoutScript, commit, branch, author.name, author.email, base.branch, base.commit, origin);
}

/** Sets up git without any configuration of the image or the agent that could interfere. */
export const prologue = `
set -eu
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_ATTR_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0 LC_ALL=C
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_NAMESPACE
command -v git >/dev/null || { echo "git is not installed in the sandbox, or not in its system folders" >&2; exit 127; }
trusted() { command git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c core.quotePath=false -c protocol.allow=never \\
  -c safe.directory='*' -c gc.auto=0 -c core.autocrlf=false -c core.fileMode=true -c core.symlinks=true \\
  -c core.excludesFile=/dev/null -c core.attributesFile=/dev/null -c core.untrackedCache=false \\
  -c advice.addEmbeddedRepo=false -c commit.gpgSign=false "$@"; }
`;

/**
 * Makes a separate git folder for the workspace, so that no configuration, hook, ref or index of the agent's is used,
 * only objects. $known says whether the objects of the base commit, "$1", are there; if so, the index starts as its
 * tree.
 */
export const ownGit = `
base=$1
own=$(mktemp -d)
trap 'rm -rf "$own"' EXIT
trusted init --quiet --bare --template= "$own/git"
if test -d .git/objects; then (cd .git/objects && pwd -P) >"$own/git/objects/info/alternates"; fi
if test -f .git/shallow; then echo "$base" >"$own/git/shallow"; fi
snap() { trusted --git-dir="$own/git" --work-tree=. "$@"; }
known=no
if snap cat-file -e "$base^{tree}" 2>/dev/null && snap read-tree "$base" 2>/dev/null; then known=yes; fi
`;

/**
 * Shell functions for notes about a workspace. They are in its .git folder, so that they go along with a copy. A list of paths
 * has one path a line, with \\001 for a line break, which no change may have in a name. `differences` lists in which known files the index differs from the base, each as git's raw format and a path.
 */
const noted = `
notes=.git/jig
as_lines() { tr '\\n\\0' '\\001\\n'; }
as_words() { tr '\\n' '\\0'; }
all_paths() { find . -path ./.git -prune -o -print0 2>/dev/null | as_lines; }
differences() {
  snap diff --cached --raw --no-abbrev --no-renames --diff-filter=MDT -z "$base" -- | as_lines |
    awk 'NR % 2 { change = $0; next } { print change "\\t" $0 }'
}
note_differences() {
  if test $known = yes && mkdir -p "$notes" && snap add -u -- . >&2; then differences >"$notes/differences"; fi
}
`;

/** Notes which paths are there before a command. Arguments: a name for the command. */
export const noteBeforeScript = `set -eu${noted}
if [ ! -d .git ]; then exit 0; fi
mkdir -p "$notes"
all_paths >"$notes/before-$1"
`;

/**
 * Notes which paths the command made: of a new folder only the folder. With a second argument, the base commit, it also
 * notes which known files it changed. Arguments: the command's name, and perhaps the base commit.
 */
export const noteAfterScript = `${prologue}${noted}
if [ ! -f "$notes/before-$1" ]; then exit 0; fi
all_paths | awk -v before="$notes/before-$1" 'BEGIN { while ((getline path <before) > 0) was[path] }
  { folder = $0; sub(/\\/[^\\/]*$/, "", folder) } !($0 in was) && (folder in was)' >>"$notes/made"
rm "$notes/before-$1"
if [ -z "\${2-}" ]; then exit 0; fi
shift
${ownGit}
note_differences
`;

/**
 * Lists new files that the export leaves out, one a line: `M` for a file that a noted command made, `I` for one that
 * .gitignore names, and with a second argument, `J` for one that is both. Arguments: base commit, perhaps `J`.
 */
export const listLeftOutScript = `${prologue}${ownGit}${noted}
classify() {
  as_lines | awk -v made="$notes/made" -v both="$1" -v other="$2" 'BEGIN { while ((getline path <made) > 0) was[path] }
    { kind = other; path = "./" $0; sub(/\\/$/, "", path)
      for (; path != "."; sub(/\\/[^\\/]*$/, "", path)) if (path in was) { kind = both; break }
      if (kind != "") print kind " " $0 }'
}
snap ls-files -z --others --exclude-standard | classify M ""
snap ls-files -z --others --ignored --exclude-standard | classify "\${2-}" I
`;

/**
 * Makes the whole workspace the commit, on a branch, with nothing else in it. Running it again does the same. The base
 * is there as a branch and as one of `origin`, as after a clone, and so are the tags and branches of the bundle.
 * Standard input: the bundle. Arguments: commit, branch, author's name, author's email, the base branch and its commit,
 * the address of `origin`.
 */
export const checkoutScript = `${prologue}${noted}
commit=$1 branch=$2 name=$3 email=$4 base=$5 base_commit=$6 origin=$7
# One of two branches can't be a folder of the other.
case $base in "$branch" | "$branch"/*) branch=jig-$branch ;; esac
find . -type d ! -perm -700 -exec chmod u+rwx {} + 2>/dev/null || true
find . -mindepth 1 -maxdepth 1 -exec rm -rf {} +
trusted init --quiet --template= .
cat >.git/jig.bundle
trusted bundle unbundle .git/jig.bundle >.git/jig.refs
rm .git/jig.bundle
# A forge's repository may itself be shallow: then history ends with the commits whose parents are missing.
if ! cut -d ' ' -f 1 .git/jig.refs | trusted rev-list --quiet --stdin 2>/dev/null; then
  trusted cat-file --batch-all-objects --batch-check='%(objectname) %(objecttype)' | sed -n 's/ commit$//p' >.git/jig.commits
  trusted rev-list --no-walk --parents --stdin <.git/jig.commits |
    awk 'NR == FNR { have[$1]; next } { for (i = 2; i <= NF; i++) if (!($i in have)) { print $1; next } }' .git/jig.commits - >.git/shallow
  rm .git/jig.commits
fi
sed -n -e 's#^\\([0-9a-f]*\\) refs/tags/#\\1 refs/tags/#p' -e 's#^\\([0-9a-f]*\\) refs/heads/#\\1 refs/remotes/origin/#p' .git/jig.refs |
  sed 's#^\\([0-9a-f]*\\) \\(.*\\)#update \\2 \\1#' | trusted update-ref --stdin
rm .git/jig.refs
trusted update-ref "refs/heads/$base" "$base_commit"
trusted update-ref "refs/remotes/origin/$base" "$base_commit"
trusted remote add origin "$origin"
trusted config user.name "$name"
trusted config user.email "$email"
trusted config gc.auto 0
trusted checkout --quiet --force -B "$branch" "$commit"
trusted clean -ffdxq
test "$(trusted rev-parse HEAD)" = "$commit"
# Git would convert some files of such a repository only because they are looked at.
if [ -n "$(trusted ls-files -- ':(glob)**/.gitattributes' | head -n 1)" ]; then
  ${ownGit}
  note_differences
fi
`;

/**
 * Makes the tree. If the workspace's own objects are gone, it is still made from the files. Known files that are still as
 * setup or the checkout left them stay as the base has them.
 */
const snapshot = `${ownGit}${noted}
snap add -A -- . >&2
if test $known = yes && [ -s "$notes/differences" ]; then
  differences | awk -v noted="$notes/differences" 'BEGIN { while ((getline line <noted) > 0) was[line] }
    $0 in was { print substr($1, 2) " " $3 substr($0, index($0, "\\t")) }' | as_words |
    snap update-index -z --index-info >&2
fi
cat >"$own/chosen"
sed -n 's/^-//p' "$own/chosen" | as_words | snap update-index --force-remove -z --stdin >&2
sed -n 's/^+//p' "$own/chosen" | as_words | snap update-index --add -z --stdin >&2
`;

/** Exit code of {@link exportScript} if the workspace equals the base. */
export const nothingToExport = 10;

/**
 * Commits everything that .gitignore doesn't exclude, and writes a bundle of that one commit to standard output. The
 * bundle is thin against the base, or complete if the workspace's own objects are damaged. Diagnostics go to standard
 * error. Standard input: new files, one a line, with `-` before one to leave out and `+` before one that .gitignore names.
 * Arguments: base commit.
 */
export const exportScript = `${prologue}${snapshot}
tree=$(snap write-tree)
export GIT_AUTHOR_NAME=sandbox GIT_AUTHOR_EMAIL=sandbox@localhost GIT_COMMITTER_NAME=sandbox GIT_COMMITTER_EMAIL=sandbox@localhost
export GIT_AUTHOR_DATE='@0 +0000' GIT_COMMITTER_DATE='@0 +0000'
if test $known = yes; then
  if test "$tree" = "$(snap rev-parse "$base^{tree}")"; then echo "nothing changed" >&2; exit ${nothingToExport}; fi
  commit=$(echo export | snap commit-tree "$tree" -p "$base")
  snap update-ref refs/heads/export "$commit"
  snap bundle create --quiet "$own/bundle" "$base..refs/heads/export" >&2
else
  echo "the workspace lost its base commit: exporting the whole tree" >&2
  commit=$(echo export | snap commit-tree "$tree")
  snap update-ref refs/heads/export "$commit"
  snap bundle create --quiet "$own/bundle" refs/heads/export >&2
fi
cat "$own/bundle"
`;
