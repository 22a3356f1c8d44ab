import type { ErrorPage } from './errors.ts';

/** The failures of sandboxes. */
export const sandboxErrors = {
  'sandbox-refused': {
    title: 'A sandbox could not be made on this machine',
    why: 'Commands run only where they are isolated. Something that isolation needs is missing; the message says what.',
    fix: 'Do what the hint says, or start with `--sandbox unsafe-process` if you trust the repository and everything it runs.',
  },
  'sandbox-platform': {
    title: 'Commands cannot be isolated on this operating system',
    why: 'The local sandbox is made of Linux namespaces.',
    fix: 'Run the worker on Linux, in a container or in a virtual machine, or start with `--sandbox unsafe-process`.',
  },
  'bwrap-missing': {
    title: 'bubblewrap is not installed',
    why: 'The local sandbox is made by the program `bwrap`.',
    fix: 'Install the package `bubblewrap` of your distribution.',
  },
  'user-namespaces-unavailable': {
    title: 'This machine does not allow user namespaces',
    why: 'bubblewrap was tried and could not make its namespaces; a setting of the kernel, or of the container around it, forbids them.',
    fix: 'Set what the hint names with `sysctl`. In a container, allow user namespaces and an unmasked /proc.',
  },
  'sandbox-lost': {
    title: 'The sandbox went away while the run needed it',
    why: 'The sandbox was removed, or replaced by another one of the same name. What happened in it since the last completed step is unknown, so the run does not build on it.',
    fix: 'Usually nothing: the run starts again from a clean checkout if that is safe. If it happens again, find out who removes sandboxes.',
  },
  'sandbox-unschedulable': {
    title: 'No node of the cluster takes the sandbox',
    why: "The cluster has no node with enough free processors, memory and disk, or none that the configured labels and taints allow. The message has the scheduler's own words.",
    fix: "Ask for less in the blueprint's `sandbox.resources`, add nodes, or correct `nodeSelector` and `tolerations` in the configuration. Where nodes are added on demand, raise `startTimeoutMs`.",
  },
  'sandbox-image-unavailable': {
    title: "The image of the sandbox can't be pulled",
    why: "The node could not pull the image, is not allowed to, or the name is not a valid image name. The message has the cluster's own words.",
    fix: "Correct the image's name in the blueprint or the configuration; for a private registry, name a secret in `imagePullSecrets`.",
  },
  'sandbox-not-admitted': {
    title: "The cluster doesn't admit the sandbox",
    why: "A quota, a limit, the Pod Security level of the namespace, an admission policy or missing permissions refused the pod. The message has the cluster's own words.",
    fix: 'Run `jig doctor`: it says which permission or rule is in the way. A full quota has room again when other sandboxes end.',
  },
  'sandbox-not-started': {
    title: "The sandbox's pod did not start",
    why: "The pod was created, but its container did not start in time, or ended at once. The message has the cluster's own words.",
    fix: "Look at the events of the pod's namespace. An image must have `sh`, `git` and the common Unix tools, and run as an ordinary user.",
  },
  'sandbox-not-ready': {
    title: "The sandbox started, but commands can't run in it",
    why: 'The first command in it says what is missing: git, a folder that can be written, or the exec interface itself.',
    fix: 'Use an image with `sh`, `git`, `awk` and the common Unix tools. `jig doctor` tries the configured image.',
  },
  'sandbox-network-open': {
    title: 'Sandboxes could reach the network',
    why: "Before its first sandbox a worker tries, from inside a pod, to connect to the API server, its node, the name server and the outside. Something answered, or the test itself failed. An agent's commands could reach the same.",
    fix: 'Apply `k8s/deploy/network-policy.yaml` on a cluster whose network plug-in enforces policies. To leave the network to the cluster, set `sandbox.kubernetes.network: open`. Then Jig does not test it.',
  },
  'sandbox-egress-unavailable': {
    title: 'These sandboxes have no network',
    why: 'The blueprint lists hosts under `sandbox.egress`, and sandboxes of the configured provider reach no host at all. The run is refused at once instead of failing later.',
    fix: 'Put what the steps need into the image (`sandbox.image`) and drop `egress`, or run the blueprint with the local provider.',
  },
  'sandbox-unreachable': {
    title: "The API server of Kubernetes doesn't answer",
    why: 'Jig asked again for as long as `unreachableTimeoutMs` says. Commands in sandboxes go on meanwhile.',
    fix: 'Look at the cluster. The run goes on when the API server is back.',
  },
} as const satisfies Record<string, ErrorPage>;
