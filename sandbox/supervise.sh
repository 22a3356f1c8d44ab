#!/bin/sh
# Runs one command to its end. It runs once, whoever asks for it and however often.
#
#   supervise.sh FOLDER WORD...
#
# It needs POSIX sh and coreutils, so it runs on a worker and in a pod. Its settings are environment variables:
#   JIG_TIMEOUT_S  seconds until the command is killed       JIG_STDIN   file that becomes standard input
#   JIG_CAP_BYTES  bytes kept of each output stream          JIG_LIMITS  resource limits: "c=0 n=4096"
#   JIG_TREE       namespace: killing WORD kills its tree (bubblewrap); group: the process group is killed; pod: as
#                  k8s/scripts/run-command.sh has it, which reads this file into a shell of its own and defines
#                  count_events, become_command, kill_strays and write_result
#   JIG_FILTER     namespace: the file of the system calls that bubblewrap refuses
#   JIG_PREFIX     what the names of its files begin with; missing or empty: nothing
#   JIG_PRELOAD    the library by which stdbuf works, so that stdbuf itself needn't be started; may be empty; -: nobody
#                  reads the outputs before the end
#
# It makes these files in FOLDER: pid ("PID STARTTIME BOOTID"; the process that makes the file launches the command, so
# that happens once), stdout, stderr, *.dropped (bytes beyond the cap, if any), status (bubblewrap's own report) and
# finally result ("ENDING CODE"). pid and result have one line, written in one go: they count once they end with a
# newline. A caller that wants an early end writes the ending's name to stop and sends SIGTERM to PID.
#
# Each process that is started here costs a millisecond or more, and each file a part of one. So builtins do what they
# can.
set -u
umask 077
cd "$1" || exit 1
shift
p=${JIG_PREFIX-}

ended=
main=

# The start time of a process, in ticks. With the pid it identifies a process until the machine restarts.
start_time() {
  read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
  # shellcheck disable=SC2086
  set -- ${stat##*) }
  state=$1
  shift 19
  started=$1
}

end_as() {
  ended=$1
  kill_tree
}

kill_tree() {
  [ -n "$main" ] || return 0
  if [ "$JIG_TREE" != namespace ]; then
    kill -KILL "-$main" "$main" 2>/dev/null
    return
  fi
  # Killing the namespace's first process kills everything in it. So does bubblewrap's own death, except in its first
  # moments, before that process has asked to die with it.
  tries=500
  until find_first; do
    start_time "$main" && [ "$state" != Z ] && [ $((tries -= 1)) -gt 0 ] || break
    sleep 0.01
  done
  kill -KILL "${first:-$main}" 2>/dev/null
}

# The namespace's first process, as bubblewrap reports it.
find_first() {
  first=
  line=
  read -r line 2>/dev/null <"${p}status"
  case $line in *'"child-pid": '*) ;; *) return 1 ;; esac
  first=${line#*'"child-pid": '}
  first=${first%%[!0-9]*}
}

# Returns when no process of the command is left.
wait_for_tree() {
  if [ "$JIG_TREE" = pod ]; then
    kill -KILL "-$main" 2>/dev/null
    kill_strays
    return
  fi
  if [ "$JIG_TREE" = group ]; then
    kill -KILL "-$main" 2>/dev/null
    tries=20
    while kill -0 "-$main" 2>/dev/null && [ $((tries -= 1)) -gt 0 ]; do sleep 0.01; done
    return
  fi
  # The namespace's first process becomes a zombie, or is gone, only after all the others.
  find_first || return
  tries=1050
  while start_time "$first" && [ "$state" != Z ] && [ $((tries -= 1)) -gt 0 ]; do
    # It is mostly gone within moments, so the first looks come without a pause.
    [ "$tries" -gt 1000 ] || sleep 0.01
  done
}

# ulimit of one resource; processes are -u in some shells and -p in others.
set_limit() {
  ulimit "-$1" "$2" 2>/dev/null && return
  if [ "$1" = u ]; then ulimit -p "$2" 2>/dev/null; fi
}

# Whoever wants an early end writes its name first. If nobody has, the signal is for all processes, such as when the
# machine shuts down: that is no end of the command's own, so there is no result.
stop_asked() {
  if [ ! -e "${p}stop" ]; then
    end_as lost
    return
  fi
  word=
  read -r word <"${p}stop"
  end_as "${word:-cancelled}"
}

# Sends ALRM to this shell after the timeout. If TERM ends it early, it ends its sleep too.
deadline() {
  exec 4<&- 5<&- 6>&- 7>&-
  before=${!-}
  # shellcheck disable=SC2154
  trap '[ "${!-}" = "$before" ] || kill $!; exit 0' TERM
  sleep "$JIG_TIMEOUT_S" &
  wait $!
  mine=$started
  start_time "$self" && [ "$started" = "$mine" ] && kill -ALRM "$self"
}

# Keeps the first bytes of its input and counts the rest.
capture() {
  exec 4<&- 5<&- 6>&- 7>&-
  full=0
  if [ "$JIG_PRELOAD" = - ]; then
    head -c "$JIG_CAP_BYTES" || full=1
  elif [ -n "$JIG_PRELOAD" ]; then
    LD_PRELOAD=$JIG_PRELOAD _STDBUF_O=0 head -c "$JIG_CAP_BYTES" || full=1
  else
    $unbuffered head -c "$JIG_CAP_BYTES" || full=1
  fi
  # How much of this output, which head wrote too, was written. (A disk may be full before the cap is reached.)
  read -r _ kept </proc/self/fdinfo/1
  [ "$kept" -lt "$JIG_CAP_BYTES" ] && [ "$full" = 0 ] || exec wc -c >"$p$1.dropped"
}

trap 'end_as deadline' ALRM
trap '' HUP INT

trap stop_asked TERM
# If another script sources this one, $$ is the other's pid.
start_time self
self=${stat%% *}
born=$started
read -r boot </proc/sys/kernel/random/boot_id
# noclobber opens the file exclusively, so it is made here or not at all.
set -C
echo "$self $born $boot" 2>/dev/null >"${p}pid" || exit 0
set +C
unbuffered=
if [ -z "$JIG_PRELOAD" ] && command -v stdbuf >/dev/null; then unbuffered='stdbuf -o0'; fi
# Two pipes, open at both ends until the command is over, so that opening one never waits for the other end. Most shells
# make a pipe for a short here-document, which saves a process.
exec 4<<END 5<<END
END
END
if [ -p /proc/self/fd/4 ] && [ -p /proc/self/fd/5 ]; then
  exec 4<>/proc/self/fd/4 5<>/proc/self/fd/5
else
  mkfifo "${p}out" "${p}err"
  exec 4<>"${p}out" 5<>"${p}err"
fi
exec 6>"${p}stdout" 7>"${p}stderr"

if [ "$JIG_TREE" = pod ]; then count_events; fi
if [ -e "${p}stop" ]; then
  stop_asked
else
  (
    trap - HUP INT
    for limit in $JIG_LIMITS; do
      set_limit "${limit%%=*}" "${limit#*=}"
    done
    exec <"$JIG_STDIN" >/proc/self/fd/4 2>/proc/self/fd/5 4<&- 5<&- 6>&- 7>&-
    if [ "$JIG_TREE" = namespace ]; then
      exec 3>"${p}status" 8<"$JIG_FILTER"
      # Everything inside may read the environment of the namespace's first process, which is this one.
      unset PATH PWD OLDPWD JIG_TREE JIG_TIMEOUT_S JIG_CAP_BYTES JIG_STDIN JIG_LIMITS JIG_FILTER JIG_PRELOAD JIG_PREFIX
    elif [ "$JIG_TREE" = pod ]; then
      become_command "$@"
    fi
    exec "$@"
  ) &
  main=$!
  [ -z "$ended" ] || kill_tree
fi
capture stdout </proc/self/fd/4 >&6 &
out=$!
capture stderr </proc/self/fd/5 >&7 &
err=$!
deadline 2>/dev/null &
timer=$!

code=137
if [ -n "$main" ]; then
  wait "$main"
  code=$?
  # Our own signal interrupts the wait: the tree was killed, and is waited for again.
  if [ -n "$ended" ]; then
    while kill -0 "$main" 2>/dev/null; do wait "$main"; done
    code=137
  fi
  wait_for_tree
fi
trap '' TERM ALRM

exec 4<&- 5<&-
if [ "$JIG_TREE" = pod ] && [ "$ended" != deadline ]; then
  # Only processes marked as another command's may still hold the pipes, until the deadline. Polling for their end would
  # take the processor from them.
  trap 'kill "$out" "$err" 2>/dev/null' ALRM
  wait "$out" "$err"
  trap '' ALRM
elif [ "$JIG_TREE" != namespace ]; then
  # A process that left its group may hold the pipes open for ever.
  tries=300
  for job in "$out" "$err"; do
    while start_time "$job" && [ "$state" != Z ] && [ $((tries -= 1)) -gt 0 ]; do
      # They end within moments, so the first looks come without a pause.
      [ "$tries" -gt 200 ] || sleep 0.01
    done
    kill "$job" 2>/dev/null
  done
fi
wait "$out" "$err"
if [ "$ended" = lost ]; then
  kill -TERM "$timer" 2>/dev/null
  exit 1
fi
if [ "$JIG_TREE" = pod ]; then write_result; else echo "${ended:-exited} $code" >"${p}result"; fi
kill -TERM "$timer" 2>/dev/null
