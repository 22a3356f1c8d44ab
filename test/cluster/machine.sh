#!/bin/bash
# The machine that a test cluster runs on: namespaces of its own on this one, in which `node MAIN STATE` runs as root.
#   machine.sh run STATE NODE MAIN
#   machine.sh remove STATE          what is left of one that was killed itself
# It lives as long as its standard input: whatever ends whoever holds that, nothing of the machine remains. Processes,
# mounts and the network end with their namespaces; its cgroups and STATE are removed here.
set -u
task=$1 state=$2 node=${3:-} main=${4:-}
name=${state##*/}

# In each hierarchy of version 1, or in the one of version 2.
list_cgroups() { find /sys/fs/cgroup -maxdepth 2 -type d -name "$name"; }
remove_cgroups() { list_cgroups | while read -r folder; do find "$folder" -depth -type d -exec rmdir {} + 2>/dev/null; done; }

remove() {
  # Processes that were killed leave their cgroups a little later.
  for _ in $(seq 50); do
    remove_cgroups
    [ -n "$(list_cgroups)" ] || break
    sleep 0.1
  done
  rm -rf --one-file-system "$state"
}

run() {
  trap : INT TERM HUP
  # Two deaths are passed on: of this shell to `unshare`, and of `unshare` to all processes inside.
  exec 3</proc/self/ns/net
  setpriv --pdeathsig KILL \
    unshare --mount --propagation private --pid --fork --kill-child --mount-proc --net --ipc --uts \
    "$0" inside "$state" "$node" "$main"
  remove
}

# The machine outside sees nothing of what programs write where they always do.
mount_own() {
  mount --make-rshared /
  mount -t tmpfs -o mode=755 run /run
  divert var/lib
  divert var/log
  # The kubelet sets how the whole machine deals with memory and panics, unless it finds these values.
  pretend vm/overcommit_memory 1
  pretend vm/panic_on_oom 0
  pretend kernel/panic 10
  pretend kernel/panic_on_oops 1
  pretend kernel/keys/root_maxkeys 1000000
  pretend kernel/keys/root_maxbytes 25000000
  # What the kubelet counts as processors: a small machine would hold the requests of two pods, and the rest would wait.
  mount -t tmpfs processors /sys/devices/system/node
  mount -t tmpfs processors /sys/devices/system/cpu
  mkdir /sys/devices/system/cpu/cpu{0..15}
}

# What is there is seen; what is written goes to STATE.
divert() {
  mkdir -p "$state/diverted/$1" "$state/diverting/$1"
  mount -t overlay -o "lowerdir=/$1,upperdir=$state/diverted/$1,workdir=$state/diverting/$1" diverted "/$1"
}

pretend() {
  [ -e "/proc/sys/$1" ] || return 0
  mkdir -p "/run/sys/${1%/*}"
  echo "$2" >"/run/sys/$1"
  mount --bind "/run/sys/$1" "/proc/sys/$1"
}

# A cable to the machine outside: the first number that is free makes its name and its addresses.
plug_in() {
  local n
  for n in $(seq 1 254); do
    nsenter --net=/proc/self/fd/3 ip link add "jig$n" type veth peer name outside netns 1 2>/dev/null && break
  done
  nsenter --net=/proc/self/fd/3 ip address add "10.213.$n.1/30" dev "jig$n"
  nsenter --net=/proc/self/fd/3 ip link set "jig$n" up
  ip link set lo up
  ip address add "10.213.$n.2/30" dev outside
  ip link set outside up
  ip route add default via "10.213.$n.1"
  echo 1 >/proc/sys/net/ipv4/ip_forward
  exec 3<&-
  number=$n
}

make_cgroups() {
  local root folder controller
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    for controller in cpu cpuset memory pids; do echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control; done
    mkdir "/sys/fs/cgroup/$name"
    return
  fi
  for root in /sys/fs/cgroup/*/; do
    folder=$root$name
    mkdir "$folder" 2>/dev/null || continue
    if [ -e "$folder/cpuset.cpus" ]; then
      cat "$root/cpuset.cpus" >"$folder/cpuset.cpus"
      cat "$root/cpuset.mems" >"$folder/cpuset.mems"
    fi
  done
}

# Process 1 inside: it reaps what containers leave, and everything ends with it.
inside() {
  set -e
  mount_own
  plug_in
  make_cgroups
  set +e
  "$node" "$main" "$state" "$number" <&0 &
  wait $!
}

# On one line: the file may be another by the time that it comes back.
"$task"; exit
