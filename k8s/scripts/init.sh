# The first process of a sandbox's container. It keeps the container alive, and adopts processes whose parents ended.
# Its own children stay in its session, which tells them apart from a command's processes. With exit code 0 the pod
# would count as succeeded, and the kubelet would never report that it evicted the pod.
trap 'exit 143' TERM INT
while :; do
  sleep 86400 &
  # This waits for any child, so no zombie stays.
  wait $!
done
