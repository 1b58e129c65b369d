/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The flags of run, create, explain and doctor; see options_table.h. Those that Docker has are
 * spelt as there. */
#include "cmd/options_table.h"

#include <stddef.h>

#define AT(member) offsetof(struct options, member)

/* What decides something: create keeps it, explain shows it. */
enum {
	OF_ALL = OPTION_RUN | OPTION_CREATE | OPTION_EXPLAIN,
	OF_DOCKER = OF_ALL | OPTION_DOCKER,
	OF_LIMITS = OF_DOCKER | OPTION_UPDATE, /* what can be changed later */
	OF_TRAFFIC = OF_ALL | OPTION_UPDATE,   /* Docker has none of it */
	OF_KEPT = OPTION_RUN | OPTION_CREATE | OPTION_DOCKER,
};

const struct option_def options_table[] = {
	{"--profile", 0, "P", TO_TEXT, AT(profile), OF_ALL,
	 "profile by name, or by path where it has a slash (default: default)"},
	{"--set", 0, "KEY=VALUE", TO_POLICY, FLAG_SET, OF_ALL | OPTION_UPDATE,
	 "any policy key, as in a file: limits.nproc=16"},
	{"--waive", 0, "NAME=REASON", TO_POLICY, FLAG_WAIVE, OF_ALL,
	 "give up one protection, with the reason"},
	{"--ro", 0, "PATH", TO_POLICY, FLAG_RO, OF_ALL,
	 "show a host path read-only at the same place inside"},
	{"--rw", 0, "PATH", TO_POLICY, FLAG_RW, OF_ALL, "show a host path, writable"},
	{"--timeout", 0, "TIME", TO_POLICY, FLAG_TIMEOUT, OF_ALL,
	 "end everything after this time (limits.wall_time): 10s"},

	{"--env", 'e', "NAME[=VALUE]", TO_POLICY, FLAG_ENV, OF_DOCKER | OPTION_EXEC,
	 "environment variable; without a value the caller's"},
	{"--env-file", 0, "FILE", TO_POLICY, FLAG_ENV_FILE, OF_DOCKER | OPTION_EXEC,
	 "variables from a file: lines NAME=VALUE, or NAME for the caller's; -e counts more"},
	{"--workdir", 'w', "DIR", TO_POLICY, FLAG_WORKING_DIR, OF_DOCKER | OPTION_EXEC,
	 "directory to start in"},
	{"--user", 'u', "USER[:GROUP]", TO_POLICY, FLAG_USER, OF_DOCKER | OPTION_EXEC,
	 "who the program is inside"},
	{"--hostname", 'h', "NAME", TO_POLICY, FLAG_HOSTNAME, OF_DOCKER, "host name inside"},
	{"--init", 0, NULL, TO_POLICY, FLAG_INIT, OF_DOCKER,
	 "a process 1 that reaps (there is one anyway)"},
	{"--memory", 'm', "SIZE", TO_POLICY, FLAG_MEMORY, OF_LIMITS,
	 "memory of the whole sandbox: 64m; k, m, g are powers of 1024, 0 is no limit"},
	{"--memory-swap", 0, "SIZE", TO_POLICY, FLAG_MEMORY_SWAP, OF_LIMITS,
	 "memory and swap together, -1 for any; without it no swap (Docker: as much as memory)"},
	{"--pids-limit", 0, "N", TO_POLICY, FLAG_PIDS_LIMIT, OF_LIMITS,
	 "tasks of the whole sandbox; -1 or 0 is no limit"},
	{"--cpus", 0, "N", TO_POLICY, FLAG_CPUS, OF_LIMITS,
	 "processors' worth of time: 0.5 is half of one, 0 is no limit"},
	{"--cpuset-cpus", 0, "LIST", TO_POLICY, FLAG_CPUSET_CPUS, OF_LIMITS,
	 "which processors: 0-1,4"},
	{"--cpu-shares", 'c', "N", TO_POLICY, FLAG_CPU_SHARES, OF_LIMITS,
	 "share against others where processors are short; 1024 is usual (a cpu_weight of 100)"},
	{"--ulimit", 0, "NAME=VALUE", TO_POLICY, FLAG_ULIMIT, OF_DOCKER,
	 "resource limit of each process, soft and hard in one: nofile=64; nproc=3 is of this "
	 "sandbox alone"},
	{"--cap-add", 0, "NAME", TO_POLICY, FLAG_CAP_ADD, OF_DOCKER,
	 "refused: this build grants no capability"},
	{"--cap-drop", 0, "NAME", TO_POLICY, FLAG_CAP_DROP, OF_DOCKER,
	 "drop a capability (all of them are dropped anyway)"},
	{"--security-opt", 0, "OPTION", TO_POLICY, FLAG_SECURITY_OPT, OF_DOCKER,
	 "seccomp=FILE of Docker's form, apparmor=NAME or unconfined, no-new-privileges (always "
	 "so)"},
	{"--read-only", 0, NULL, TO_POLICY, FLAG_READ_ONLY, OF_DOCKER,
	 "nothing of the root can be written to"},
	{"--storage-opt", 0, "OPTION", TO_POLICY, FLAG_STORAGE_OPT, OF_LIMITS,
	 "size=SIZE: the root can be written to, and takes no more (rootfs.writable.store auto); "
	 "store=STORE: that one; preallocate=true: an image, whose space is taken at once"},
	{"--tmpfs", 0, "PATH[:OPTIONS]", TO_POLICY, FLAG_TMPFS, OF_DOCKER,
	 "mount an empty tmpfs: size=64m,mode=1777,nr_inodes=1000,exec,noexec,ro; noexec unless "
	 "exec is said, nosuid and nodev always"},
	{"--volume", 'v', "[SOURCE:]TARGET[:ro]", TO_POLICY, FLAG_VOLUME, OF_DOCKER,
	 "show a volume by its NAME, made on first use; a host path; or without SOURCE a new "
	 "volume"},
	{"--mount", 0, "KEY=VALUE,...", TO_POLICY, FLAG_MOUNT, OF_DOCKER,
	 "the same in words: type=volume, bind or tmpfs, source=, target=, readonly, "
	 "volume-nocopy, tmpfs-size=, tmpfs-mode="},
	{"--volumes-from", 0, "SANDBOX[:ro]", TO_POLICY, FLAG_VOLUMES_FROM, OF_DOCKER,
	 "show the volumes and host paths that another sandbox has, in the same places; it may "
	 "have ended; -v and --mount count more"},
	{"--network", 0, "MODE", TO_POLICY, FLAG_NETWORK, OF_DOCKER,
	 "none (where nothing is said), bridge, a name of `cordon network ls`, container:NAME, "
	 "host; again for a further network; as root"},
	{"--net", 0, "MODE", TO_POLICY, FLAG_NETWORK, OF_DOCKER, NULL},
	{"--network-alias", 0, "NAME", TO_POLICY, FLAG_NETWORK_ALIAS, OF_DOCKER,
	 "a further name by which others of its first network find it"},
	{"--net-alias", 0, "NAME", TO_POLICY, FLAG_NETWORK_ALIAS, OF_DOCKER, NULL},
	{"--link", 0, "SANDBOX[:ALIAS]", TO_POLICY, FLAG_LINK, OF_DOCKER,
	 "what it calls another one in its first network; in the default one that has to run, and "
	 "is variables of its program"},
	{"--ip", 0, "ADDRESS", TO_POLICY, FLAG_IP, OF_DOCKER, "its address in its first network"},
	{"--ip6", 0, "ADDRESS", TO_POLICY, FLAG_IP6, OF_DOCKER, "likewise of IPv6"},
	{"--mac-address", 0, "MAC", TO_POLICY, FLAG_MAC_ADDRESS, OF_DOCKER,
	 "its link address there"},
	{"--add-host", 0, "NAME:ADDRESS", TO_POLICY, FLAG_ADD_HOST, OF_DOCKER,
	 "a line of its /etc/hosts; NAME:host-gateway is the gateway of its network"},
	{"--dns", 0, "ADDRESS", TO_POLICY, FLAG_DNS, OF_DOCKER,
	 "name server that it asks; those of the host unless said"},
	{"--dns-search", 0, "DOMAIN", TO_POLICY, FLAG_DNS_SEARCH, OF_DOCKER,
	 "domain in which it looks for names"},
	{"--dns-option", 0, "OPTION", TO_POLICY, FLAG_DNS_OPTION, OF_DOCKER,
	 "option of its /etc/resolv.conf: ndots:2"},
	{"--dns-opt", 0, "OPTION", TO_POLICY, FLAG_DNS_OPTION, OF_DOCKER, NULL},
	{"--publish", 'p', "PORTS", TO_POLICY, FLAG_PUBLISH, OF_DOCKER,
	 "[[ADDRESS:]PORT:]PORT[/udp]: a port of the host's is the sandbox's; ranges as well; as "
	 "root"},
	{"--publish-all", 'P', NULL, TO_POLICY, FLAG_PUBLISH_ALL, OF_DOCKER,
	 "the same of every port that the image or --expose names, at any free port of the host's"},
	{"--expose", 0, "PORTS", TO_POLICY, FLAG_EXPOSE, OF_DOCKER,
	 "PORT[/udp], or a range: a port that it has: -P publishes it, and --link leads to it"},
	{"--egress-rate", 0, "RATE", TO_POLICY, FLAG_EGRESS_RATE, OF_TRAFFIC,
	 "how fast it sends, in all its networks together: 10mbit; unlimited"},
	{"--egress-burst", 0, "SIZE", TO_POLICY, FLAG_EGRESS_BURST, OF_TRAFFIC,
	 "what it sends at once after a pause: 64KiB"},
	{"--ingress-rate", 0, "RATE", TO_POLICY, FLAG_INGRESS_RATE, OF_TRAFFIC,
	 "how fast it receives, likewise"},
	{"--ingress-burst", 0, "SIZE", TO_POLICY, FLAG_INGRESS_BURST, OF_TRAFFIC,
	 "what it receives at once after a pause"},
	{"--restart", 0, "WHEN", TO_POLICY, FLAG_RESTART, OF_LIMITS,
	 "start a kept sandbox again: no, on-failure[:N], always, unless-stopped"},
	{"--stop-signal", 0, "SIGNAL", TO_POLICY, FLAG_STOP_SIGNAL, OF_DOCKER,
	 "what asks the program of a kept sandbox to end: TERM, SIGINT, 15, RTMIN+3"},
	{"--stop-timeout", 0, "TIME", TO_POLICY, FLAG_STOP_TIMEOUT, OF_DOCKER,
	 "how long it has then, in seconds or with a unit; 10s unless said"},
	{"--label", 'l', "LABEL[=VALUE]", TO_POLICY, FLAG_LABEL, OF_DOCKER,
	 "mark by which listings find it"},
	{"--label-file", 0, "FILE", TO_POLICY, FLAG_LABEL_FILE, OF_DOCKER,
	 "labels from a file: lines NAME=VALUE"},

	{"--entrypoint", 0, "PROGRAM", TO_TEXT, AT(entrypoint), OF_DOCKER,
	 "of an image: run this in the place of its Entrypoint and Cmd, before the words; \"\" for "
	 "the "
	 "words alone"},
	{"--name", 0, "NAME", TO_NAME, 0, OF_KEPT, "keep the sandbox under this name"},
	{"--detach", 'd', NULL, TO_TRUTH, AT(detach), OPTION_RUN | OPTION_DOCKER | OPTION_EXEC,
	 "keep it running in the background"},
	{"--rm", 0, NULL, TO_TRUTH, AT(rm), OF_KEPT,
	 "keep nothing of it at its end (without --name and -d that is so anyway)"},
	{"--interactive", 'i', NULL, TO_TRUTH, AT(interactive), OF_KEPT | OPTION_EXEC,
	 "pass stdin on (done anyway); -it is both"},
	{"--tty", 't', NULL, TO_TRUTH, AT(tty), OF_KEPT | OPTION_EXEC,
	 "insist on a terminal (where there is one, the program has one anyway)"},
	{"--cgroup-parent", 0, "GROUP", TO_CGROUP_PARENT, 0, OF_DOCKER | OPTION_DOCTOR,
	 "make the sandbox's control group in this one, limits or none (a path below the "
	 "hierarchies' roots)"},

	{"--status-fd", 0, "N", TO_STATUS_FD, 0, OPTION_RUN,
	 "write events and the result to this descriptor (3 or more), JSON lines"},
	{"--fd", 0, "N", TO_FD, 0, OPTION_RUN | OPTION_EXPLAIN,
	 "pass this descriptor (3 or more) on at the same number; can be given again"},
	{"--report", 0, "FILE", TO_TEXT, AT(report), OPTION_RUN,
	 "write the result to this file, one JSON document"},
	{"--explain-denials", 0, NULL, TO_TRUTH, AT(explains_denials), OPTION_RUN,
	 "list at the end what was denied (system calls; as root also by Landlock and AppArmor), "
	 "and what would allow it"},
	{"--sample", 0, "TIME", TO_SAMPLE, 0, OPTION_RUN,
	 "write what is used to --status-fd as often, a JSON line each: 50ms"},
	{"--top", 0, NULL, TO_TRUTH, AT(top), OPTION_RUN,
	 "show what is used against its limits in the terminal's last line, live"},
	{"--quiet", 'q', NULL, TO_TRUTH, AT(quiet), OPTION_RUN | OPTION_CREATE | OPTION_EXEC,
	 "no notes of cordon's own, errors excepted"},
	{"--calls", 0, NULL, TO_TRUTH, AT(calls), OPTION_EXPLAIN,
	 "each system call in a line of its own"},
	{"--json", 0, NULL, TO_TRUTH, AT(json), OPTION_EXPLAIN | OPTION_DOCTOR,
	 "one JSON document instead of text"},
	{"--follow", 'f', NULL, TO_TRUTH, AT(follow), OPTION_LOGS,
	 "go on with what is printed, until the sandbox has ended"},
	{"--timestamps", 't', NULL, TO_TRUTH, AT(timestamps), OPTION_LOGS,
	 "put the moment before each line (UTC)"},
	{"--tail", 'n', "N", TO_TEXT, AT(tail), OPTION_LOGS, "only the last N lines; all"},
	{"--since", 0, "TIME", TO_TEXT, AT(since), OPTION_LOGS,
	 "only what was printed since then: 10m, 2026-01-31T10:00:00Z, or seconds since 1970"},
	{"--until", 0, "TIME", TO_TEXT, AT(until), OPTION_LOGS, "only what was printed before"},
	{"--stdout", 0, NULL, TO_TRUTH, AT(only_stdout), OPTION_LOGS, "stdout alone"},
	{"--stderr", 0, NULL, TO_TRUTH, AT(only_stderr), OPTION_LOGS, "stderr alone"},
	/* Of two of one name attach gets the first. */
	{"--detach-keys", 0, "KEYS", TO_TEXT, AT(detach_keys), OPTION_ATTACH,
	 "keys that detach from a terminal: ctrl-p,ctrl-q unless said"},
	{"--detach-keys", 0, "KEYS", TO_TEXT, AT(detach_keys), OPTION_RUN | OPTION_DOCKER,
	 "with -it and --name: other keys that leave it than ctrl-p,ctrl-q; `cordon attach` comes "
	 "back"},
	{"--no-stdin", 0, NULL, TO_TRUTH, AT(no_stdin), OPTION_ATTACH, "pass nothing of stdin on"},
	{"--sig-proxy", 0, NULL, TO_UNTRUTH, AT(no_sig_proxy), OPTION_ATTACH,
	 "pass signals on to the program; done unless =false is said"},
	{"--help", 0, NULL, TO_TRUTH, AT(help),
	 OPTION_ATTACH | OPTION_LOGS | OF_ALL | OPTION_DOCTOR | OPTION_EXEC | OPTION_UPDATE,
	 "this text"},
};

const size_t options_n = sizeof(options_table) / sizeof(options_table[0]);

/* struct options has a bit for each. */
_Static_assert(sizeof(options_table) / sizeof(options_table[0]) <= OPTIONS_ROWS_MAX,
	       "rows of options.said");
