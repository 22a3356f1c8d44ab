/** Workspaces as runs may leave them: shell scripts that make one at random, and that tell all of one. */
import fc from 'fast-check';

/** As `prepareSandbox` leaves it: a commit, the same each time, and what setup made, all of it ignored. */
export const preparedScript = `
find . -type d ! -perm -700 -exec chmod u+rwx {} \\; ; find . -mindepth 1 -maxdepth 1 -exec rm -rf {} +
export GIT_AUTHOR_DATE='@1700000000 +0000' GIT_COMMITTER_DATE='@1700000000 +0000'
git init -q -b work . && git config user.name A && git config user.email a@example.com
mkdir -p dir/sub ignored
printf 'ignored/\\n*.log\\n' >.gitignore
for file in a b dir/a dir/sub/a ignored/tracked; do echo "$file" >"$file"; done
ln -s a link; echo program >program; chmod 755 program
git add -Af . && git commit -qm base
mkdir -p ignored/deep/empty dir/.cache; echo '*' >dir/.cache/.gitignore; echo cached >dir/.cache/x
echo setup >ignored/setup; echo setup >dir/setup.log; chmod 555 ignored/deep
git rev-parse HEAD
`;

/** Names that shells, git and tar are known to stumble over. */
const names = `
set -- plain '-dash' 'sp ace ' "line
break.log" "$(printf 'bad\\377\\303')" '*?[a]\\.log' 'ünï' 'back\\slash' '$(id)' "ends
" a dir.log
`;
const nameCount = 12;
const folders = ['.', 'dir', 'dir/sub', 'ignored', 'new', 'dir/new/deep'];

const operations: Record<string, string> = {
  write: 'mkdir -p "$d"; echo "$a $b" >>"$d/$a"',
  large: 'mkdir -p "$d"; head -c 70000 /dev/zero >"$d/$a"',
  folder: 'mkdir -p "$d/$a"',
  inFolder: 'mkdir -p "$d/$a"; echo x >"$d/$a/$b"',
  program: 'chmod 755 "$d/$a"',
  unreadable: 'chmod 0 "$d/$a"',
  oddMode: 'chmod 2751 "$d/$a"',
  readOnly: '[ "$d" = . ] || chmod 555 "$d"',
  noEntry: '[ "$d" = . ] || chmod 600 "$d"',
  link: 'ln -s "$b" "$d/$a"',
  farLink: 'ln -s /nowhere "$d/$a"',
  hardLink: 'ln "$d/a" "$d/$b"',
  linkForFolder: 'rm -rf "$d/$a"; ln -s dir "$d/$a"; rm -rf dir/sub; ln -s ../ignored dir/sub',
  folderForFile: 'rm -rf "$d/a"; mkdir "$d/a"; echo x >"$d/a/$b"',
  pipe: 'mkfifo "$d/$a"',
  remove: 'rm -rf "$d/$a"',
  removeAll: 'rm -rf "$d"',
  move: 'mv "$d/$a" "$d/$b"',
  touch: 'touch -d @1600000000.123456789 "$d/$a"',
  ignore: 'echo "$a" >>.gitignore',
  ignoreNothing: ': >.gitignore',
  ignoreHere: 'echo "*" >"$d/.gitignore"',
  ignorePrivately: 'mkdir -p .git/info; echo "$a" >>.git/info/exclude',
  add: 'git add -A "$d"',
  addIgnored: 'git add -f "$d/$a"',
  untrack: 'git rm -rq --cached "$d/$a"',
  untrackAll: 'git rm -rq --cached ignored',
  commit: 'git commit -qam more',
  stash: 'git stash -q',
  detach: 'git checkout -q --detach',
  branch: 'git branch -f other; git tag -f tagged',
  nested: 'mkdir -p "$d/nested"; git init -q "$d/nested"; echo x >"$d/nested/x"',
  conflict: 'git merge-file -q a b dir/a; git update-index --assume-unchanged b',
};

/** A script that makes changes at random. */
export const oddChanges: fc.Arbitrary<string> = fc
  .array(
    fc.record({
      operation: fc.constantFrom(...Object.keys(operations)),
      folder: fc.constantFrom(...folders),
      a: fc.integer({ min: 1, max: nameCount }),
      b: fc.integer({ min: 1, max: nameCount }),
    }),
    { minLength: 5, maxLength: 40 },
  )
  .map((steps) => {
    const lines = steps.map(
      ({ operation, folder, a, b }) => `d='${folder}' a=\${${a}} b=\${${b}}; ${operations[operation] ?? ''}`,
    );
    return `${names}\n${lines.join('\n')}`;
  })
  .map((script) => `(\n${script}\n) >/dev/null 2>&1 || true`);

/** Each path with its kind, mode, size, time and target, as far as they can be seen. Changes nothing. */
export const lookScript = `find . -mindepth 1 ! -type d -printf '%y %m %s %T@ %n %l %p\\0' -o -printf '%y %m %p\\0' 2>/dev/null | sort -z`;

/**
 * All of the workspace, git's view of it, and the commit that an export would hand over. Makes what can't be read
 * readable. Arguments: the script that exports, and the base commit.
 */
export const tellScript = `
${lookScript.replace("-printf '%y %m %p\\0'", "-mindepth 1 -printf '%y %m %p\\0' -type d ! -perm -700 -exec chmod u+rwx {} \\;")} | grep -zv ' \\./\\.git/index$'
printf '\\0\\0'
find . -type f ! -perm -400 -exec chmod u+r {} +
find . -type f ! -path ./.git/index -exec sha256sum -z {} + | sort -z
printf '\\0\\0'
git status --porcelain=v2 --branch --ignored -z 2>&1; git ls-files -s -t -z 2>&1; git stash list 2>&1; git log --all --format=%H 2>&1
git fsck 2>&1
printf '\\0\\0'
sh -c "$1" jig "$2" 2>/dev/null | head -n 4 | grep -a '^[0-9a-f]* refs/heads/export$'
true
`;
