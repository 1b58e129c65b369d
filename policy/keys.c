/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table; see keys.h. The functions that read it stand in keys_check.c.
 *
 * A key that this build cannot enforce has its row all the same, with KEY_LATER: a profile that
 * asks for it is refused by name. Accepting and ignoring it would be a protection that only seems
 * to be there.
 */
#include "policy/keys.h"

#include <stddef.h>
#include <sys/resource.h>

#include "policy/resolve.h"

#define IN_SPEC(member) offsetof(struct sandbox_spec, member)

/* clang-format off */
const struct policy_key policy_keys[] = {
	{"cordon", KEY_WORD, 0, "1", NULL, "format version of the file; required, 1", NULL, 0},
	{"description", KEY_TEXT, 0, NULL, NULL, "one line for listings", NULL, 0},
	{"extends", KEY_TEXT, 0, NULL, NULL, "the one parent, a name, or a path with a slash", NULL, 0},

	{"process", KEY_MAP, 0, NULL, NULL, "the program and what it finds around it", NULL, 0},
	{"process.user", KEY_TEXT, 0, NULL, NULL, "user[:group] inside, ids or names of the rootfs", NULL, 0},
	{"process.working_dir", KEY_TEXT, 0, NULL, NULL, "absolute path inside to start in", apply_working_dir, 0},
	{"process.environment", KEY_FREE_MAP, 0, NULL, NULL, "variables; no value passes the caller's, all others are dropped", NULL, 0},
	{"process.environment.*", KEY_TEXT, 0, NULL, NULL, "value of one variable", NULL, 0},
	{"process.hostname", KEY_TEXT, 0, NULL, NULL, "host name inside", apply_hostname, 0},
	{"process.stop_signal", KEY_TEXT, 0, NULL, NULL, "signal that asks the program of a kept sandbox to end: TERM, SIGTERM, 15 or RTMIN+3", apply_stop_signal, 0},
	{"process.stop_grace_period", KEY_DURATION, 0, NULL, NULL, "time between stop_signal and SIGKILL; 10s if not said", apply_duration, IN_SPEC(process.stop_grace_period_ms)},
	{"process.init", KEY_WORD, 0, "true", "false", "cordon's init is process 1 and reaps", NULL, 0},
	{"process.supplementary_groups", KEY_WORD, 0, "none", "*", "further groups of the user inside", NULL, 0},

	{"rootfs", KEY_MAP, 0, NULL, NULL, "the file tree inside", NULL, 0},
	{"rootfs.from", KEY_TEXT, 0, NULL, NULL, "host, dir:PATH, image:NAME or empty", NULL, 0},
	{"rootfs.writable", KEY_TEXT_OR_MAP, 0, "none|auto|tmpfs|image|project", NULL, "whether the root can be written to, and where that goes", NULL, 0},
	{"rootfs.writable.store", KEY_WORD, 0, "none|auto|tmpfs|image|project", NULL, "none; tmpfs: memory; as root image: an ext4 in a file, project: a project quota; auto: the best that there is", NULL, 0},
	{"rootfs.writable.size", KEY_SIZE, 0, NULL, NULL, "bytes of the root's store", apply_number, IN_SPEC(rootfs.size_bytes)},
	{"rootfs.writable.inodes", KEY_NUMBER, 0, NULL, NULL, "files and directories of the root's store", apply_number, IN_SPEC(rootfs.inodes)},
	{"rootfs.writable.preallocate", KEY_BOOL, 0, NULL, NULL, "all of an image's size is taken from the host's disk at the start; false unless said otherwise", NULL, 0},

	{"volumes", KEY_LIST, 0, NULL, NULL, "what is mounted: SOURCE:TARGET[:ro|rw] or a map", NULL, 0},
	{"volumes[]", KEY_TEXT_OR_MAP, 0, NULL, NULL, "one mount", NULL, 0},
	{"volumes[].type", KEY_WORD, 0, "bind|tmpfs", "volume|image", "kind of mount", NULL, 0},
	{"volumes[].source", KEY_TEXT, 0, NULL, NULL, "bind: path on the host, ${cwd} or relative to the file that says it", NULL, 0},
	{"volumes[].target", KEY_TEXT, 0, NULL, NULL, "absolute path inside, or ${cwd}", NULL, 0},
	{"volumes[].read_only", KEY_BOOL, 0, NULL, NULL, "mount read-only; true unless said otherwise (bind)", NULL, 0},
	{"volumes[].size", KEY_SIZE, 0, NULL, NULL, "tmpfs: bytes", NULL, 0},
	{"volumes[].inodes", KEY_NUMBER, 0, NULL, NULL, "tmpfs: files and directories", NULL, 0},
	{"volumes[].mode", KEY_MODE, 0, NULL, NULL, "tmpfs: permissions of its root", NULL, 0},
	{"volumes[].options", KEY_LIST, 0, NULL, NULL, "noexec", NULL, 0},
	{"volumes[].options[]", KEY_WORD, 0, "noexec", NULL, "nothing on it can be executed", NULL, 0},
	{"volumes[].read_only_below", KEY_LIST, 0, NULL, NULL, "bind: paths below it that stay read-only, and that cannot be made", NULL, 0},
	{"volumes[].read_only_below[]", KEY_TEXT, 0, NULL, NULL, "relative to the source: .git, .github/workflows", NULL, 0},
	{"volumes[].hide_below", KEY_LIST, 0, NULL, NULL, "bind: paths below it that are not shown, and that cannot be made", NULL, 0},
	{"volumes[].hide_below[]", KEY_TEXT, 0, NULL, NULL, "relative to the source: .env", NULL, 0},
	{"secrets", KEY_LIST, 0, NULL, NULL, "files shown from memory only: FILE or a map", NULL, 0},
	{"secrets[]", KEY_TEXT_OR_MAP, 0, NULL, NULL, "one of them", NULL, 0},
	{"secrets[].file", KEY_TEXT, 0, NULL, NULL, "path on the host, ${cwd} or relative to the file that says it", NULL, 0},
	{"secrets[].target", KEY_TEXT, 0, NULL, NULL, "absolute path inside; /run/secrets/NAME unless said otherwise", NULL, 0},
	{"devices", KEY_ANY, KEY_LATER, NULL, NULL, "device files shown inside", NULL, 0},

	{"seccomp", KEY_MAP, 0, NULL, NULL, "the filter of system calls", NULL, 0},
	{"seccomp.default", KEY_TEXT, 0, NULL, NULL, "action for known calls that no entry names", NULL, 0},
	{"seccomp.unknown", KEY_TEXT, 0, NULL, NULL, "action for calls that this build does not know", NULL, 0},
	{"seccomp.allow", KEY_LIST, 0, NULL, NULL, "calls and @groups that are let through", NULL, 0},
	{"seccomp.allow[]", KEY_TEXT_OR_MAP, 0, NULL, NULL, "a call, a @group, or a map with conditions", NULL, 0},
	{"seccomp.allow[].call", KEY_TEXT, 0, NULL, NULL, "name of the call", NULL, 0},
	{"seccomp.allow[].args", KEY_ANY, 0, NULL, NULL, "conditions by argument number", NULL, 0},
	{"seccomp.allow[].action", KEY_TEXT, 0, NULL, NULL, "allow, or log: let through and noted in the kernel's log; allow if not said", NULL, 0},
	{"seccomp.deny", KEY_LIST, 0, NULL, NULL, "calls and @groups that are refused, added to the parent's", NULL, 0},
	{"seccomp.deny[]", KEY_TEXT_OR_MAP, 0, NULL, NULL, "a call, a @group, or a map with conditions", NULL, 0},
	{"seccomp.deny[].call", KEY_TEXT, 0, NULL, NULL, "name of the call", NULL, 0},
	{"seccomp.deny[].args", KEY_ANY, 0, NULL, NULL, "conditions by argument number", NULL, 0},
	{"seccomp.deny[].action", KEY_TEXT, 0, NULL, NULL, "errno(NAME), kill or trap; errno(EPERM) if not said", NULL, 0},
	{"seccomp.architectures", KEY_LIST, 0, NULL, NULL, "whose calls are filtered by the lists; those of all others are killed", NULL, 0},
	{"seccomp.architectures[]", KEY_WORD, 0, "native|x86|arm", "x32", "native, and x86 on x86-64 or arm on aarch64 for programs of 32 bits", NULL, 0},
	{"seccomp.docker_profile", KEY_TEXT, 0, NULL, NULL, "a Docker or OCI seccomp file (JSON), in the place of default and allow", NULL, 0},

	{"capabilities", KEY_MAP, 0, NULL, NULL, "capabilities inside", NULL, 0},
	{"capabilities.drop", KEY_LIST, 0, NULL, NULL, "[ALL]", NULL, 0},
	{"capabilities.drop[]", KEY_TEXT, 0, NULL, NULL, "ALL or a name", NULL, 0},
	{"capabilities.add", KEY_LIST, KEY_ONLY_EMPTY, NULL, NULL, "kept after drop", NULL, 0},
	{"namespaces", KEY_MAP, 0, NULL, NULL, "namespaces that are not made new", NULL, 0},
	{"namespaces.share", KEY_LIST, KEY_ONLY_EMPTY, NULL, NULL, "namespaces shared with the host", NULL, 0},
	{"apparmor", KEY_TEXT, KEY_WHEN_POSSIBLE, NULL, NULL, "auto (cordon's profile, where the kernel has AppArmor), NAME of a loaded profile, or unconfined", NULL, 0},
	{"landlock", KEY_TEXT_OR_MAP, KEY_WHEN_POSSIBLE, "auto", NULL, "auto (what the mounts are for, and nothing else), or lists that tighten it", NULL, 0},
	{"landlock.read", KEY_LIST, 0, NULL, NULL, "paths inside: nothing else can be read", NULL, 0},
	{"landlock.read[]", KEY_TEXT, 0, NULL, NULL, "absolute path inside, or ${cwd}; with all below it", NULL, 0},
	{"landlock.write", KEY_LIST, 0, NULL, NULL, "paths inside: nothing else can be changed", NULL, 0},
	{"landlock.write[]", KEY_TEXT, 0, NULL, NULL, "absolute path inside, or ${cwd}; with all below it", NULL, 0},
	{"landlock.execute", KEY_LIST, 0, NULL, NULL, "paths inside: nothing else can be executed (loaders and interpreters count)", NULL, 0},
	{"landlock.execute[]", KEY_TEXT, 0, NULL, NULL, "absolute path inside, or ${cwd}; with all below it", NULL, 0},
	{"landlock.connect_tcp", KEY_LIST, 0, NULL, NULL, "TCP ports that can be connected to; all where it is not said", NULL, 0},
	{"landlock.connect_tcp[]", KEY_NUMBER, 0, NULL, NULL, "1 to 65535", NULL, 0},
	{"landlock.bind_tcp", KEY_LIST, 0, NULL, NULL, "TCP ports that can be bound; all where it is not said", NULL, 0},
	{"landlock.bind_tcp[]", KEY_NUMBER, 0, NULL, NULL, "1 to 65535, or 0 for any that the kernel chooses", NULL, 0},

	{"limits", KEY_MAP, KEY_WHEN_POSSIBLE, NULL, NULL, "what it may use", NULL, 0},
	{"limits.nproc", KEY_NUMBER, KEY_UNLIMITED, NULL, NULL, "processes of the user inside, of this sandbox alone; unlimited: as many as the caller may have", apply_nproc, 0},
	{"limits.wall_time", KEY_DURATION, KEY_UNLIMITED, NULL, NULL, "time until everything inside is ended", apply_wall_time, 0},
	{"limits.pids", KEY_NUMBER, KEY_UNLIMITED, NULL, NULL, "tasks (processes and threads) of the whole sandbox", NULL, 0},
	{"limits.memory", KEY_SIZE, KEY_UNLIMITED, NULL, NULL, "memory of the whole sandbox: programs, files on its tmpfs, caches; at the limit it is ended", NULL, 0},
	{"limits.swap", KEY_SIZE, KEY_UNLIMITED, NULL, NULL, "swap alone, beside limits.memory; 0 where it is not said and limits.memory is", NULL, 0},
	{"limits.cpus", KEY_DECIMAL, KEY_UNLIMITED, NULL, NULL, "processors' worth of time: 0.5 is half of one", NULL, 0},
	{"limits.cpu_weight", KEY_NUMBER, KEY_UNLIMITED, NULL, NULL, "1 to 10000, share against others where processors are short; 100 is usual", NULL, 0},
	{"limits.cpuset", KEY_TEXT, KEY_UNLIMITED, NULL, NULL, "which processors: 0-1,4", NULL, 0},
	{"limits.cpu_time", KEY_DURATION, KEY_UNLIMITED, NULL, NULL, "processor time, user and system, of the whole sandbox, until everything inside is ended", NULL, 0},
	{"limits.idle_time", KEY_DURATION, KEY_UNLIMITED, NULL, NULL, "time without processor use (0.2 % of one is none) and output, until everything inside is ended", NULL, 0},
	{"limits.output", KEY_SIZE, KEY_UNLIMITED, NULL, NULL, "bytes of stdout and stderr together; so many are passed on, and with the next everything inside is ended", NULL, 0},
	{"limits.io", KEY_MAP, 0, NULL, NULL, "disk bandwidth, of each block device", NULL, 0},
	{"limits.io.read", KEY_RATE, KEY_UNLIMITED, NULL, NULL, "bytes in a second: 50MiB/s", NULL, 0},
	{"limits.io.write", KEY_RATE, KEY_UNLIMITED, NULL, NULL, "bytes in a second: 20MiB/s; takes cgroup v2", NULL, 0},
	{"limits.ulimits", KEY_MAP, 0, NULL, NULL, "resource limits of each process", NULL, 0},
	{"limits.ulimits.nofile", KEY_NUMBER, KEY_UNLIMITED, NULL, NULL, "open files", apply_ulimit, RLIMIT_NOFILE},
	{"limits.ulimits.fsize", KEY_SIZE, KEY_UNLIMITED, NULL, NULL, "size of a file written", apply_ulimit, RLIMIT_FSIZE},
	{"limits.ulimits.core", KEY_SIZE, KEY_UNLIMITED, NULL, NULL, "size of a core dump", apply_ulimit, RLIMIT_CORE},
	{"limits.ulimits.stack", KEY_SIZE, KEY_UNLIMITED, NULL, NULL, "size of the stack", apply_ulimit, RLIMIT_STACK},
	{"limits.ulimits.memlock", KEY_SIZE, KEY_UNLIMITED, NULL, NULL, "locked memory", apply_ulimit, RLIMIT_MEMLOCK},
	{"limits.ulimits.msgqueue", KEY_SIZE, KEY_UNLIMITED, NULL, NULL, "bytes in message queues", apply_ulimit, RLIMIT_MSGQUEUE},
	{"limits.ulimits.sigpending", KEY_NUMBER, KEY_UNLIMITED, NULL, NULL, "queued signals", apply_ulimit, RLIMIT_SIGPENDING},
	{"limits.ulimits.rtprio", KEY_NUMBER, KEY_UNLIMITED, NULL, NULL, "highest real-time priority", apply_ulimit, RLIMIT_RTPRIO},
	{"limits.ulimits.cpu", KEY_DURATION, KEY_UNLIMITED, NULL, NULL, "processor time of one process, whole seconds", apply_ulimit, RLIMIT_CPU},
	{"limits.ulimits.data", KEY_SIZE, KEY_UNLIMITED, NULL, NULL, "data segment", apply_ulimit, RLIMIT_DATA},
	{"limits.ulimits.as", KEY_SIZE, KEY_UNLIMITED, NULL, NULL, "address space", apply_ulimit, RLIMIT_AS},

	{"network", KEY_MAP, 0, NULL, NULL, "the network inside", NULL, 0},
	{"network.mode", KEY_TEXT, 0, NULL, NULL, "none, bridge (the default network), or the name of another (`cordon network create`); container:NAME is another sandbox's; host is the caller's, and takes a waiver (network.host); as root", NULL, 0},
	{"network.ip", KEY_TEXT, 0, NULL, NULL, "its address in that network; the lowest free one if not said", NULL, 0},
	{"network.ip6", KEY_TEXT, 0, NULL, NULL, "likewise of IPv6, which has the same number in its subnet", NULL, 0},
	{"network.mac", KEY_TEXT, 0, NULL, NULL, "its link address there: 92:d0:c6:0a:29:33", NULL, 0},
	{"network.aliases", KEY_LIST, 0, NULL, NULL, "further names by which others find it there", NULL, 0},
	{"network.aliases[]", KEY_TEXT, 0, NULL, NULL, "one of them", NULL, 0},
	{"network.networks", KEY_LIST, 0, NULL, NULL, "further networks to join, 8 in all: eth0 is the first, eth1 the second", NULL, 0},
	{"network.networks[]", KEY_TEXT_OR_MAP, 0, NULL, NULL, "one of them, by its name", NULL, 0},
	{"network.networks[].name", KEY_TEXT, 0, NULL, NULL, "which one", NULL, 0},
	{"network.networks[].ip", KEY_TEXT, 0, NULL, NULL, "as network.ip, there", NULL, 0},
	{"network.networks[].ip6", KEY_TEXT, 0, NULL, NULL, "as network.ip6, there", NULL, 0},
	{"network.networks[].mac", KEY_TEXT, 0, NULL, NULL, "as network.mac, there", NULL, 0},
	{"network.networks[].aliases", KEY_LIST, 0, NULL, NULL, "as network.aliases, there", NULL, 0},
	{"network.networks[].aliases[]", KEY_TEXT, 0, NULL, NULL, "one of them", NULL, 0},
	{"network.publish", KEY_ANY, KEY_LATER, NULL, NULL, "ports shown on the host", NULL, 0},
	{"network.egress", KEY_ANY, KEY_LATER, NULL, NULL, "what may be reached, and how fast", NULL, 0},
	{"network.ingress", KEY_ANY, KEY_LATER, NULL, NULL, "who may reach it, and how fast", NULL, 0},

	{"restart", KEY_TEXT, 0, NULL, NULL, "when a kept sandbox is started again: no, on-failure[:N], always or unless-stopped; a run that is not kept does not use it", apply_restart, 0},
	{"labels", KEY_FREE_MAP, 0, NULL, NULL, "names and values by which listings find it; nothing inside sees them", NULL, 0},
	{"labels.*", KEY_TEXT, 0, NULL, NULL, "value of one label, which may be empty (\"\")", NULL, 0},
	{"logging", KEY_MAP, 0, NULL, NULL, "what is kept of the output of a sandbox that runs in the background; any other run does not use it", NULL, 0},
	{"logging.max_size", KEY_SIZE, 0, NULL, NULL, "bytes of one log file, 64KiB to 1GiB; 5MiB if not said", apply_log_size, 0},
	{"logging.max_files", KEY_NUMBER, 0, NULL, NULL, "how many there are, 1 to 8: when one is full the oldest is emptied; 2 if not said", apply_log_files, 0},
	{"when_possible", KEY_MAP, 0, NULL, NULL, "what the host may lack: landlock, apparmor, limits (of the whole sandbox)", NULL, 0},
	{"waive", KEY_FREE_MAP, 0, NULL, NULL, "protections of the parent that are given up, with the reason", NULL, 0},
	{"waive.*", KEY_TEXT, 0, NULL, NULL, "the reason", NULL, 0},
};
/* clang-format on */

const size_t policy_n_keys = sizeof(policy_keys) / sizeof(policy_keys[0]);
