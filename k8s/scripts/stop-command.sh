# Asks for an early end of a command. A command that hasn't been launched never will be.
#
#   stop-command.sh command=NAME incarnation=UID ENDING
#
# Prints `stopping`, or `other` if this is not the intended pod. Repeatable; the first ending that was asked for counts.
set -u
umask 077
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
read -r uid </opt/jig/incarnation
if [ "incarnation=$uid" != "$2" ]; then
  echo other
  exit
fi
cd /jig || exit 66
p=${1#command=}.
# noclobber opens the file exclusively, so it is made here or not at all.
set -C
echo "$3" 2>/dev/null >"${p}stop"
set +C
if read -r supervisor started _ 2>/dev/null <"${p}pid" && read -r stat 2>/dev/null <"/proc/$supervisor/stat"; then
  # shellcheck disable=SC2086
  set -- ${stat##*) }
  [ "${20}" != "$started" ] || kill -TERM "$supervisor" 2>/dev/null
fi
echo stopping
