/**
 * Shell scripts that copy a workspace and restore a copy. They run like those of `sandbox-scripts.ts`, and need the GNU
 * versions of tar, find, du, sed and sort.
 *
 * A copy is a compressed tar file: `tree/` is the workspace, `modes` lists what its owner may not read or change, and
 * `left-out` lists the ignored paths that it lacks. Both lists end each entry with NUL.
 */
import { ownGit, prologue } from './sandbox-scripts.ts';

/** Exit code of {@link copyScript} if no copy can be made. Standard error gives the reason. */
export const copyImpossible = 20;

/** Exit code of {@link copyScript} if the workspace is over the limit. */
export const copyTooLarge = 21;

/**
 * `apply_modes FILE` gives each path its mode from the list, the deepest paths first. In a pod the workspace itself is a
 * volume that the commands' user may write to and doesn't own, so it keeps its mode.
 */
const modes = `
apply_modes() {
  sort -zr -k2 "$1" | xargs -0r sh -c 'for entry; do chmod "\${entry%% *}" "\${entry#* }" || [ "\${entry#* }" = . ] || exit 255; done' sh
}
`;

/**
 * Writes a copy of the workspace to standard output. The last line of standard error has its size and whether it holds
 * ignored files: `SIZE kept` or `SIZE left-out`. What the owner may not read is made readable meanwhile. Ignored files
 * are determined as in the export: by .gitignore files alone, and never a file of the base commit or of the workspace's
 * index. Arguments: base commit, most bytes in all, most bytes of ignored files.
 */
export const copyScript = `${prologue}${modes}
unable() { echo "$1" >&2; exit ${copyImpossible}; }
for tool in tar find du sed sort; do
  case $($tool --version 2>/dev/null) in *GNU*) ;; *) unable "the image has no GNU $tool" ;; esac
done
command -v gzip >/dev/null || unable "the image has no gzip"
if [ -e .git ] || [ -L .git ]; then
  [ -d .git ] && [ ! -L .git ] && [ ! -e .git/commondir ] && [ ! -L .git/objects ] && [ ! -s .git/objects/info/alternates ] ||
    unable "parts of its git folder are outside of the workspace"
fi
list=$(mktemp)
trap 'rm -f "$list"' EXIT
finish() { apply_modes "$list"; rm -rf "$list" "\${own-}"; }
trap finish EXIT
find . -mindepth 1 \\( -type d ! -perm -700 -printf '%m %p\\0' \\( -perm -500 -o -exec chmod u+rx {} \\; \\) \\) -o \\
  \\( -type f ! -perm -400 -printf '%m %p\\0' -exec chmod u+r {} \\; \\) >"$list"
${ownGit}
trap finish EXIT
# All that the base commit or the workspace's index has is known, whatever .gitignore says, and isn't looked at again.
snap ls-files -s -z >"$own/entries"
if [ -f .git/index ]; then
  cp .git/index "$own/index"
  for shared in .git/sharedindex.*; do if [ -f "$shared" ]; then cp "$shared" "$own/git"; fi; done
  GIT_INDEX_FILE=$own/index snap ls-files -s -z >>"$own/entries" || unable "its index can't be read"
fi
GIT_INDEX_FILE=$own/known snap -c core.ignoreStat=true update-index -z --index-info <"$own/entries" >&2
GIT_INDEX_FILE=$own/known snap status --porcelain -z --ignored=matching --untracked-files=all --ignore-submodules=all \\
  --no-renames >"$own/status"
# Rules stay, also where they ignore themselves.
sed -zn '/^!! /{s///; \\#\\(^\\|/\\)\\.gitignore$#d; p}' "$own/status" >"$own/left-out"
ignored_size=$(du -cbs --files0-from="$own/left-out" | tail -n 1 | cut -f 1)
size=$(du -bs . | cut -f 1)
ignored=kept
if [ "$ignored_size" -gt "$3" ] || [ "$size" -gt "$2" ]; then
  if [ -s "$own/left-out" ]; then ignored=left-out; fi
  size=$((size - ignored_size))
else
  : >"$own/left-out"
fi
if [ "$size" -gt "$2" ]; then echo "$size $ignored" >&2; exit ${copyTooLarge}; fi
# tar takes a pattern a line, and cuts off white space at its end.
newline=$(printf '[!\\001-\\011\\013-\\377]')
sed -z "s/[][\\\\\\\\*?]/\\\\\\\\&/g; s/[ \\t\\r\\f\\v]/[&]/g; s/\\n/$newline/g; s#^#./#; s#/\\$##" "$own/left-out" | tr '\\0' '\\n' >"$own/patterns"
cp "$list" "$own/modes"
tar --create --format=posix --pax-option=delete=atime,delete=ctime --sort=name --use-compress-program='gzip -1n' \\
  --anchored --wildcards --exclude-from="$own/patterns" --transform='s,^\\.,tree,S' \\
  -C "$own" modes left-out -C "$PWD" . || unable "the workspace changed while it was copied"
echo "$size $ignored" >&2
`;

/**
 * Puts a copy in the workspace's place. The copy is unpacked completely next to it, and then replaces everything except
 * paths that it left out and that exist already. Standard input: the copy.
 */
export const restoreScript = `${prologue}${modes}
own=$(mktemp -d)
aside=$(mktemp -d -p .)
trap 'rm -rf "$own" "$aside"' EXIT
tar --extract --gzip --preserve-permissions --no-same-owner -C "$aside"
find "$aside" -type d ! -perm -700 -exec chmod u+rwx {} \\;
[ -d "$aside/tree" ]
# Those of what was left out are no matter of the copy.
xargs -0r sh -c 'for entry; do if [ -e "$0/\${entry#* }" ]; then printf "%s\\0" "$entry"; fi; done' "$aside/tree" \\
  <"$aside/modes" >"$own/modes"
move_in='
aside=$1
shift
for entry; do
  path=./\${entry%/}
  case $entry in
    */) if [ ! -d "$path" ] || [ -L "$path" ]; then continue; fi ;;
    *) if [ ! -L "$path" ] && { [ ! -e "$path" ] || [ -d "$path" ]; }; then continue; fi ;;
  esac
  # A folder can be moved only by who may write to it.
  mode=
  if [ -d "$path" ] && [ ! -L "$path" ] && [ ! -w "$path" ]; then mode=$(stat -c %a "$path") && chmod u+w "$path"; fi
  { [ -w "\${path%/*}" ] || chmod u+rwx "\${path%/*}"; } && mv "$path" "$aside/tree/$path" || exit 255
  [ -z "$mode" ] || chmod "$mode" "$aside/tree/$path"
done'
xargs -0r sh -c "$move_in" sh "$aside" <"$aside/left-out"
find . -path "$aside" -prune -o -type d ! -perm -700 -exec chmod u+rwx {} \\;
find . -mindepth 1 -maxdepth 1 ! -path "$aside" -exec rm -rf {} +
find "$aside/tree" -mindepth 1 -maxdepth 1 -exec mv -t . {} +
rm -rf "$aside"
# Git's index tells changed files by their inodes and times, and these are new.
if [ -f .git/index ] && [ -d .git/objects ]; then
  trusted init --quiet --bare --template= "$own/git"
  (cd .git/objects && pwd -P) >"$own/git/objects/info/alternates"
  fresh=$(mktemp -p .git)
  cp -p .git/index "$fresh"
  GIT_INDEX_FILE=$fresh trusted --git-dir="$own/git" --work-tree=. update-index -q --refresh >/dev/null 2>&1 || true
  chmod --reference=.git/index "$fresh"
  mv -f "$fresh" .git/index
  rm -f "$fresh.lock"
fi
apply_modes "$own/modes"
`;
