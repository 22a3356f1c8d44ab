# Runs a command in the pod once, or finds it, and sends its output until its end. Each exec is one call of this:
#
#   run-command.sh command=NAME incarnation=UID timeout=SECONDS cap=BYTES started=MS stdin=BYTES live=0|1
#                  out=BYTES err=BYTES limits=LIMITS cwd=PATH env=COUNT -- NAME=VALUE... WORD...
#
# A command's files are /jig/NAME.*. Nothing inside can predict a NAME. out and err are how many bytes of output the
# caller already has; env is how many variables come before the words of the command.
#
# The first line of standard input is the seal: a secret by which only the supervisor can vouch for a result. It is
# never in an argument, an environment variable or a file.
#
# It answers in frames on standard output:
#   here                 it has started
#   stdin                now send the command's standard input
#   out N, err N         N bytes follow
#   end RESULT           the line of the file result, see write_result
#   lost WHY             there will never be a result
#   other                this is not the pod that was meant
set -u
umask 077
image_path=$PATH
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# A variable that the image exports stays exported, whatever it is set to.
unset seal
while [ "$1" != -- ]; do
  case $1 in
    command=*) command=${1#*=} ;;
    incarnation=*) incarnation=${1#*=} ;;
    timeout=*) JIG_TIMEOUT_S=${1#*=} ;;
    cap=*) JIG_CAP_BYTES=${1#*=} ;;
    started=*) started_ms=${1#*=} ;;
    stdin=*) stdin_bytes=${1#*=} ;;
    live=*) live=${1#*=} ;;
    out=*) out_sent=${1#*=} ;;
    err=*) err_sent=${1#*=} ;;
    limits=*) JIG_LIMITS=${1#*=} ;;
    cwd=*) cwd=${1#*=} ;;
    env=*) jig_variables=${1#*=} ;;
  esac
  shift
done
shift

echo here
read -r uid </opt/jig/incarnation
if [ "$uid" != "$incarnation" ]; then
  echo other
  exit
fi
read -r seal || exit 65
cd /jig || exit 66
p=$command.

JIG_TREE=pod
JIG_PREFIX=$p
JIG_STDIN=/dev/null
JIG_PRELOAD=-
if [ "$live" = 1 ]; then
  # The path in most distributions.
  JIG_PRELOAD=/usr/libexec/coreutils/libstdbuf.so
  [ -e "$JIG_PRELOAD" ] || JIG_PRELOAD=
fi

lose() {
  echo "lost $1"
  exit
}

# Reads all of standard input. If that fails, the command isn't launched.
take_stdin() {
  echo stdin
  exec 3>"${p}stdin.$$"
  head -c "$stdin_bytes" >&3
  read -r _ taken </proc/self/fdinfo/3
  exec 3>&-
  if [ "$taken" != "$stdin_bytes" ]; then
    rm -f "${p}stdin.$$"
    exit 65
  fi
  mv "${p}stdin.$$" "${p}stdin"
}

# Leaves the session, so that a signal from the command to its group never reaches the supervisor.
become_command() {
  umask 022
  cd "$cwd" || exit 126
  unset KUBERNETES_SERVICE_HOST KUBERNETES_SERVICE_PORT KUBERNETES_SERVICE_PORT_HTTPS KUBERNETES_PORT OLDPWD
  unset KUBERNETES_PORT_443_TCP KUBERNETES_PORT_443_TCP_PROTO KUBERNETES_PORT_443_TCP_PORT KUBERNETES_PORT_443_TCP_ADDR
  export "JIG_COMMAND=/jig/$command" "HOME=/home/agent" "PATH=/home/agent/.venv/bin:/home/agent/.local/bin:$image_path"
  while [ "$jig_variables" -gt 0 ]; do
    export "$1"
    shift
    jig_variables=$((jig_variables - 1))
  done
  if [ -x /usr/bin/setsid ]; then exec /usr/bin/setsid "$@"; fi
  exec /bin/setsid "$@"
}

# Reads the cgroup's counts of processes killed for memory and of refused forks. Empty if there are none.
count_events() {
  kills=
  refusals=
  for events in memory.events memory/memory.oom_control pids.events pids/pids.events; do
    while read -r name count; do
      case $name in
        oom_kill) kills=$count ;;
        max) case $events in pids*) refusals=$count ;; esac ;;
      esac
    done 2>/dev/null <"/sys/fs/cgroup/$events"
  done
}

# Finds why the kernel ended a failed command, if it did.
find_cause() {
  [ "$code" != 0 ] && [ -z "$ended" ] || return 0
  kills_before=$kills
  refusals_before=$refusals
  count_events
  if [ "$refusals" != "$refusals_before" ]; then ended=too-many-processes; fi
  if [ "$kills" != "$kills_before" ]; then ended=out-of-memory; fi
}

# Reads a process's state, parent, session, threads and start time, whatever its name contains.
look() {
  stat=
  while read -r line; do stat="$stat $line"; done 2>/dev/null <"/proc/$1/stat"
  # shellcheck disable=SC2086
  set -- ${stat##*) }
  [ $# -ge 20 ] || return 1
  state=$1
  parent=$2
  session=$4
  threads=${18}
  since=${20}
}

# Finds the processes that the command left behind. Their parents have ended, so they are children of the first process.
# A process that came by an exec has no parent, so supervisors and followers aren't among them.
find_strays() {
  strays=
  live_names=unknown
  listed=
  missed=0
  listing=children
  dead_before=$dead
  dead=' '
  look 1
  first_session=$session
  read -r listed 2>/dev/null </proc/1/task/1/children
  if [ -z "$listed" ]; then
    # For kernels that don't list children. A command that changes its pid faster than this looks may be missed.
    for process in /proc/[0-9]*; do listed="$listed ${process#/proc/}"; done
    listing=all
  fi
  for pid in $listed; do
    if ! look "$pid" || [ "$parent" != 1 ]; then
      # If one ends while the kernel lists them, others may be missing, and it may have a successor.
      if [ "$listing" = children ] || ! [ -e "/proc/$pid" ]; then missed=1; fi
      continue
    fi
    # A process can live on even if its first thread is a zombie.
    case $state$threads in
      Z0 | Z1 | X*)
        # It may have ended after it was listed, and its children may have moved to the first process after the listing.
        dead="$dead$pid:$since "
        case $dead_before in *" $pid:$since "*) ;; *) missed=1 ;; esac
        continue
        ;;
    esac
    if [ "$session" != "$first_session" ] && [ "$pid" != "$self" ] && ! is_of_another "$pid"; then strays="$strays $pid"; fi
  done
  [ -n "$strays" ] || [ "$missed" = 1 ]
}

# Whether the process is marked as belonging to another command that still runs.
is_of_another() {
  [ "$live_names" != unknown ] || find_live_names
  [ -n "$live_names" ] || return 1
  while read -r line || [ -n "$line" ]; do
    for other in $live_names; do
      case $line in *"JIG_COMMAND=/jig/$other"*) return 0 ;; esac
    done
  done 2>/dev/null <"/proc/$1/environ"
  return 1
}

# Finds the other commands that are being run or followed, from the arguments of processes that came by an exec.
find_live_names() {
  live_names=
  for process in /proc/[0-9]*; do
    pid_of_other=${process#/proc/}
    look "$pid_of_other" || continue
    [ "$parent" = 0 ] && [ "$pid_of_other" != 1 ] || continue
    words=
    # read drops the NUL bytes between words.
    read -r words 2>/dev/null <"$process/cmdline"
    case $words in */run-command.shcommand=*) ;; *) continue ;; esac
    words=${words#*/run-command.shcommand=}
    words=${words%%incarnation=*}
    [ "$words" = "$command" ] || live_names="$live_names $words"
  done
}

# Returns when no process of the command is left. If they multiply faster than they can be killed one by one, everything
# except this shell is stopped with one signal, which leaves no gap, until they are dead.
kill_strays() {
  tries=0
  dead=' '
  while find_strays; do
    # shellcheck disable=SC2086
    [ -z "$strays" ] || kill -KILL $strays 2>/dev/null
    tries=$((tries + 1))
    case $tries in
      [1-5]) ;;
      # In a list of all processes, those of other commands come and go.
      10) [ -n "$strays" ] || [ "$listing" = children ] || return 0 ;;
      20) kill -STOP -1 ;;
      # Some processes can't be killed. There will be no result, which the caller sees.
      1000)
        kill -CONT -1
        exit 1
        ;;
      *) sleep 0.02 ;;
    esac
  done
  # Other commands go on, and readers of this one's output have all of it.
  [ "$tries" -lt 20 ] || kill -CONT -1
}

# result: ENDING CODE KEPT_OUT DROPPED_OUT KEPT_ERR DROPPED_ERR STARTED_MS DURATION_MS DIGEST, where DIGEST is the
# SHA-256 of the seal, a space, the line so far, a newline, and both outputs as they were kept.
write_result() {
  find_cause
  read -r now _ </proc/uptime
  out_dropped=0
  err_dropped=0
  # If the counting process was killed, at least one byte more came than was kept.
  if [ -e "${p}stdout.dropped" ]; then read -r out_dropped <"${p}stdout.dropped" || out_dropped=1; fi
  if [ -e "${p}stderr.dropped" ]; then read -r err_dropped <"${p}stderr.dropped" || err_dropped=1; fi
  read -r _ out_kept </proc/self/fdinfo/6
  read -r _ err_kept </proc/self/fdinfo/7
  # Both are in hundredths of a second since the machine's start.
  took=$((${now%.*} * 100 + 1${now#*.} - 100 - born))
  line="${ended:-exited} $code $out_kept $out_dropped $err_kept $err_dropped $started_ms $((took * 10))"
  # The reader may send the output meanwhile.
  [ "$out_kept$err_kept" = 00 ] || kill -USR1 $$
  if [ "$out_kept$err_kept" = 00 ]; then
    digest=$(sha256sum <<END
$seal $line
END
)
  else
    digest=$(cat - "${p}stdout" "${p}stderr" <<END | sha256sum
$seal $line
END
)
  fi
  echo "$line ${digest%% *}" >"${p}result"
  # It may be large, and is not needed any more.
  if [ "$JIG_STDIN" != /dev/null ]; then : >"$JIG_STDIN"; fi
}

# Sends the bytes of an output between two positions.
send() {
  left=$(($4 - $3))
  while [ "$left" -gt 0 ]; do
    part=$left
    [ "$part" -le 1048576 ] || part=1048576
    echo "$1 $part"
    dd bs="$part" count=1 <&"$2" 2>/dev/null || exit 74
    left=$((left - part))
  done
}

# Opens the outputs at the positions where the caller stopped.
open_outputs() {
  [ -e "${p}stdout" ] && [ -e "${p}stderr" ] || lose 'its output is gone'
  exec 8<"${p}stdout" 9<"${p}stderr"
  [ "$out_sent" = 0 ] || dd bs=1 skip="$out_sent" count=0 <&8 2>/dev/null
  [ "$err_sent" = 0 ] || dd bs=1 skip="$err_sent" count=0 <&9 2>/dev/null
  opened=1
}

send_up_to() {
  [ "$opened" = 1 ] || open_outputs
  send out 8 "$out_sent" "$1"
  send err 9 "$err_sent" "$2"
  out_sent=$1
  err_sent=$2
}

# Sends new output. The supervisor's own descriptors tell how much has been written.
send_new() {
  [ -e "${p}stderr" ] || return 0
  read -r _ out_now 2>/dev/null <"/proc/$supervisor/fdinfo/6" || return 0
  read -r _ err_now 2>/dev/null <"/proc/$supervisor/fdinfo/7" || return 0
  send_up_to "$out_now" "$err_now"
}

# Whether the supervisor still runs, and is still the same process.
is_running() {
  look "$supervisor" && [ "$state" != Z ] && [ "$since" = "$started" ]
}

# Waits until the supervisor ends, or it is time to look for new output.
wait_for_news() {
  if [ "$own" = 1 ]; then
    ticked=0
    wait "$supervisor"
    [ "$ticked" = 1 ] || own=0
    return
  fi
  if read -r supervisor started _ 2>/dev/null <"${p}pid"; then
    is_running || return 1
  else
    # The process that made the file is about to write its pid.
    [ $((patience -= 1)) -gt 0 ] || return 1
  fi
  sleep 0.2
}

opened=0
own=0
if [ ! -e "${p}pid" ]; then
  trap 'ticked=1' USR1
  [ "$stdin_bytes" = 0 ] || take_stdin
  if [ -e "${p}stdin" ]; then JIG_STDIN=${p}stdin; fi
  (
    set -- /jig "$@"
    . /opt/jig/supervise.sh
  ) </dev/null >/dev/null 2>&1 &
  supervisor=$!
  own=1
  if [ "$live" = 1 ]; then
    (while sleep 0.2 && kill -USR1 $$; do :; done) </dev/null >/dev/null 2>&1 &
    ticker=$!
  fi
fi

patience=50
until read -r result 2>/dev/null <"${p}result"; do
  if ! wait_for_news; then
    # It may have ended between the two reads.
    read -r result 2>/dev/null <"${p}result" || lose 'nothing supervises it, and it has no result'
    break
  fi
  [ "$own$live" = 00 ] || send_new
done
trap '' USR1
[ -z "${ticker-}" ] || kill "$ticker"
# shellcheck disable=SC2086
set -- $result
[ $# = 9 ] || lose 'its result is not complete'
case $3$5 in *[!0-9]*) lose 'its result holds no numbers' ;; esac
send_up_to "$3" "$5"
echo "end $result"
