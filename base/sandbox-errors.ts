import type { ErrorPage } from './errors.ts';

/** The failures of sandboxes. */
export const sandboxErrors = {
  'sandbox-refused': {
    title: 'A sandbox could not be made on this machine',
    why: 'Jig runs commands only in isolation, and this machine lacks something for that. The message says what.',
    fix: 'Run `jig doctor`: it says what is missing and how to get it. If you trust the repository and everything that it runs, you can start with `--sandbox unsafe-process` instead.',
  },
  'sandbox-platform': {
    title: 'Commands cannot be isolated on this operating system',
    why: 'The local sandbox uses Linux namespaces.',
    fix: 'Run the worker on Linux, for example in a container or a virtual machine, or start with `--sandbox unsafe-process`.',
  },
  'bwrap-missing': {
    title: 'bubblewrap is not installed',
    why: 'The local sandbox needs the program `bwrap`.',
    fix: 'Install your distribution’s package `bubblewrap`.',
  },
  'user-namespaces-unavailable': {
    title: 'This machine does not allow user namespaces',
    why: 'Jig tried bubblewrap, and it could not make its namespaces. A setting of the kernel, or of the container around it, forbids them.',
    fix: 'Run `jig doctor`: it names the setting to change with `sysctl`. In a container, allow user namespaces and an unmasked /proc.',
  },
  'sandbox-lost': {
    title: 'The sandbox disappeared while the run needed it',
    why: 'The sandbox was removed, or replaced by another one of the same name. Nobody knows what happened in it since the last completed step, so the run does not continue from there.',
    fix: 'Usually nothing: the run starts again from a clean checkout if that is safe. If it happens often, find out what removes the sandboxes.',
  },
  'sandbox-unschedulable': {
    title: 'No node of the cluster has room for the sandbox',
    why: "No node has enough free processors, memory and disk, or the configured labels and taints allow none. The message has the scheduler's own words.",
    fix: "Ask for less in the blueprint's `sandbox.resources`, add nodes, or correct `nodeSelector` and `tolerations` in the configuration. If the cluster adds nodes on demand, raise `startTimeoutMs`.",
  },
  'sandbox-image-unavailable': {
    title: "The image of the sandbox can't be pulled",
    why: "The node could not pull the image, is not allowed to, or the name is not a valid image name. The message has the cluster's own words.",
    fix: "Correct the image's name in the blueprint or the configuration. For a private registry, name a secret in `imagePullSecrets`.",
  },
  'sandbox-not-admitted': {
    title: 'The cluster refused the sandbox',
    why: "The reason is a quota, a limit, the namespace's Pod Security level, an admission policy or a missing permission. The message has the cluster's own words.",
    fix: 'Run `jig doctor`: it says which permission or rule it is. A full quota has room again when other sandboxes end.',
  },
  'sandbox-not-started': {
    title: "The sandbox's pod did not start",
    why: "The pod was created, but its container did not start in time, or it ended at once. The message has the cluster's own words.",
    fix: 'Look at the events with `kubectl get events -n NAMESPACE`. The image must have `sh`, `git` and the common Unix tools, and must run as an ordinary user.',
  },
  'sandbox-not-ready': {
    title: "The sandbox started, but commands can't run in it",
    why: 'Git, a writable folder or the exec interface is missing. The message says which.',
    fix: 'Use an image with `sh`, `git`, `awk` and the common Unix tools. `jig doctor` tries the configured image.',
  },
  'sandbox-network-open': {
    title: 'Sandboxes could reach the network',
    why: "Before a worker makes its first sandbox, it tries to connect from inside a pod to the API server, the pod's node, the name server and the outside. Something answered, or the test itself failed. So an agent's commands could reach the same.",
    fix: 'Apply `k8s/deploy/network-policy.yaml` on a cluster whose network plug-in enforces policies. If your cluster controls the network in another way, set `sandbox.kubernetes.network: open`; Jig then does not test it.',
  },
  'sandbox-egress-unavailable': {
    title: 'These sandboxes have no network',
    why: 'The blueprint lists hosts under `sandbox.egress`, but sandboxes of the configured provider can’t reach any host. So Jig refuses the run at the start.',
    fix: 'Put what the steps need into the image (`sandbox.image`) and remove `egress`, or run the blueprint with the local provider.',
  },
  'sandbox-unreachable': {
    title: "The Kubernetes API server doesn't answer",
    why: 'Jig asked repeatedly, for as long as `unreachableTimeoutMs` allows. Meanwhile, commands in sandboxes go on.',
    fix: 'Check the cluster, for example with `kubectl get --raw /readyz`. The run goes on when the API server is back.',
  },
} as const satisfies Record<string, ErrorPage>;
