# The first process of a sandbox's container: it keeps the container alive, and takes in processes whose parents ended.
# Its own children stay in its session, by which others tell them from a command's.
# An end by 0 would have the pod succeed, and the kubelet then never says that it evicted it.
trap 'exit 143' TERM INT
while :; do
  sleep 86400 &
  # It waits for any child, so whatever ends is gone for good.
  wait $!
done
