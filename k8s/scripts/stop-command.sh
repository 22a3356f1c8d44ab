# Asks for an early end of a command, also of one that hasn't been launched: then it never is.
#
#   stop-command.sh command=NAME incarnation=UID ENDING
#
# Says `stopping`, or `other` where this is not the pod that was meant. Repeatable; the first ending asked for counts.
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
# Made here or not at all: noclobber opens it exclusively.
set -C
echo "$3" 2>/dev/null >"${p}stop"
set +C
if read -r supervisor started _ 2>/dev/null <"${p}pid" && read -r stat 2>/dev/null <"/proc/$supervisor/stat"; then
  # shellcheck disable=SC2086
  set -- ${stat##*) }
  [ "${20}" != "$started" ] || kill -TERM "$supervisor" 2>/dev/null
fi
echo stopping
