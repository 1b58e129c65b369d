/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * struct sandbox_spec: the one value that describes a sandbox.
 *
 * Made by policy/ (policy_resolve), completely resolved: no text left to interpret, no "unset".
 * Everything it points to lies in one arena that is frozen read-only before the first process is
 * made, and it is passed on as `const struct sandbox_spec *`. Code that holds one may not choose,
 * only carry out. Types only: rootfs/, launcher/ and later storage/, cgroup/ and net/ include this
 * header.
 */
#ifndef CORDON_POLICY_SPEC_H
#define CORDON_POLICY_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/spec_egress.h"

/* Where a value was said. line 0: the source has no lines (command line, built-in). */
struct spec_origin {
	const char *file; /* a path as the user wrote it, "profile default", "command line" or
			     "built-in" */
	uint32_t line;
	uint32_t column;
};

/* ---- identity: ids inside the sandbox. The ids outside are the launcher's to choose. ---- */
struct spec_identity {
	uint32_t uid;
	uint32_t gid;
};

/* ---- process ---- */
enum { SPEC_FDS_MAX = 16 };

struct spec_process {
	const char *const *argv; /* NULL-terminated, argv[0] as the caller wrote it */
	const char *const *envp; /* NULL-terminated "NAME=VALUE"; complete, nothing else gets in */
	const char
		*program; /* what to execute: an absolute path inside, or a bare name to search */
	const char *path; /* value of PATH in envp, for that search */
	const char *working_dir; /* absolute path inside; "" where the policy names none */
	const char *hostname;
	const int *fds; /* descriptors of the caller's, 3 or more, that it gets beside 0 to 2 */
	size_t n_fds;
	uint32_t stop_signal;          /* signal number */
	uint64_t stop_grace_period_ms; /* after stop_signal, before SIGKILL */
};

/* ---- stores: what is written to is bounded in bytes and inodes ---- */
struct spec_store {
	const char *size_key; /* "rootfs.writable.size", "volumes[0].size" */
	const char *inodes_key;
	struct spec_origin size_origin;
	struct spec_origin inodes_origin;
};

/* ---- rootfs ---- */
enum spec_rootfs_kind { ROOTFS_HOST, ROOTFS_DIR, ROOTFS_IMAGE, ROOTFS_EMPTY };
enum spec_writable {
	WRITABLE_NONE,
	WRITABLE_TMPFS,
	WRITABLE_IMAGE,   /* an ext4 on a loop device */
	WRITABLE_PROJECT, /* a directory with a project quota */
	WRITABLE_AUTO,    /* whichever of the three this host gives, by the launcher */
};

struct spec_rootfs {
	enum spec_rootfs_kind kind;
	const char *dir;   /* absolute host path for ROOTFS_DIR, else "" */
	const char *image; /* ROOTFS_IMAGE: its name, as it was asked for; else "" */
	const char
		*image_id; /* 64 hex digits; "" where there is no such image here: nothing runs */
	enum spec_writable writable;
	struct spec_origin writable_origin; /* of rootfs.writable.store */
	uint64_t size_bytes;                /* of what holds everything written to the root */
	uint64_t inodes;
	bool preallocates; /* its size is taken from the host's disk at once */
	struct spec_origin preallocate_origin;
	struct spec_store store;
	struct spec_origin origin; /* of rootfs.from */
};

/* ---- mounts: the volumes of the policy, --ro and --rw; parents stand before what lies below them
 * ---- */
enum spec_mount_type { MOUNT_BIND, MOUNT_TMPFS, MOUNT_VOLUME };

/* A path below a bind that the workload may not change, or not see. */
enum spec_protection { PROTECT_READ_ONLY, PROTECT_HIDDEN };

struct spec_protected {
	const char *path; /* below the mount's root: relative, lexically normal, without ".." */
	enum spec_protection protection;
	struct spec_origin origin;
};

struct spec_mount {
	enum spec_mount_type type;
	const char *source; /* bind: absolute host path, lexically normal; volume: its name, "" of
			       an anonymous one; else "" */
	const char *target; /* absolute path inside, lexically normal, never "/" */
	bool read_only;
	bool noexec;
	bool host_root_write_waived; /* bind: the waiver host_root_write:SOURCE was given */
	bool is_copied_to;   /* volume: while it is empty it gets what the root has at the target */
	bool is_taken;       /* from another sandbox: a volume has to be there already */
	bool is_program;     /* bind: of the one file that is to run, which nobody has asked for */
	uint64_t size_bytes; /* tmpfs */
	uint64_t inodes;     /* tmpfs */
	uint32_t mode;       /* tmpfs: permission bits of its root */
	struct spec_store store; /* tmpfs */
	/* bind: read_only_below and hide_below; a path stands before what lies below it */
	const struct spec_protected *protected;
	size_t n_protected;
	struct spec_origin origin;
};

/* ---- secrets: files of the host whose content is shown from memory ---- */
enum { SPEC_SECRETS_MAX = 32 };

struct spec_secret {
	const char *file;   /* absolute host path, lexically normal */
	const char *target; /* absolute path inside, lexically normal */
	struct spec_origin origin;
};

/* ---- seccomp ---- */
enum spec_action_kind { ACT_ALLOW, ACT_ERRNO, ACT_KILL, ACT_TRAP, ACT_LOG };

struct spec_action {
	enum spec_action_kind kind;
	uint32_t errno_value; /* ACT_ERRNO */
};

/* One comparison of a system call argument. Arguments that the kernel takes as 32 bits are compared
 * as 32 bits (is_32bit), so that high bits set by a hostile caller cannot dodge it. */
enum spec_cond_op {
	COND_IN,
	COND_NOT_IN,
	COND_MASKED_EQ,
	COND_MASKED_NE,
	COND_RANGE,
	COND_NOT_RANGE,
};

struct spec_cond {
	uint32_t arg; /* 0 to 5 */
	bool is_32bit;
	enum spec_cond_op op;
	uint64_t mask; /* MASKED_*: (argument & mask) compared with values[0] */
	/* IN, NOT_IN: the set; MASKED_*: one value; RANGE, NOT_RANGE: the lowest and the highest */
	const uint64_t *values;
	size_t n_values;
};

/* What the filter answers to one system call: the first rule whose conditions all hold, else
 * otherwise. */
struct spec_call_rule {
	const struct spec_cond *conds;
	size_t n_conds; /* at least 1 */
	struct spec_action action;
	struct spec_origin origin;
	bool is_fixed; /* see spec_call */
};

struct spec_call {
	const char *name;
	int32_t number; /* the kernel's, on its architecture */
	const struct spec_call_rule *rules;
	size_t n_rules;
	struct spec_action otherwise;
	struct spec_origin origin; /* of `otherwise` */
	bool is_fixed; /* `otherwise` follows from another part of the policy: no waiver lifts it */
};

struct spec_calls {
	const struct spec_call *calls; /* sorted by number */
	size_t n;
};

struct spec_seccomp {
	struct spec_action default_action; /* known calls that no entry names */
	struct spec_action unknown_action; /* calls that this build does not know */
	struct spec_origin default_origin;
	struct spec_origin unknown_origin;
	/* Sorted by number. Calls whose answer is default_action are left out, but where
	 * policy_request.wants_values or wants_origins asks for where everything comes from. */
	const struct spec_call *calls;
	size_t n_calls;
	/* The second architecture's (x86 on x86-64, arm on aarch64), likewise. Without it all of
	 * that architecture is killed. */
	bool has_second;
	struct spec_calls second;
	bool denies_setid_bits; /* calls that set the setuid or setgid bit are refused */
	bool admits_key_calls;  /* any of keyctl, add_key, request_key may be answered with allow */
};

/* ---- Landlock and AppArmor ---- */

/* How much is asked for: what the host cannot give under WHEN_POSSIBLE is left out, and said. */
enum spec_demand { DEMAND_NONE, DEMAND_WHEN_POSSIBLE, DEMAND_REQUIRED };

enum spec_path_right { PATH_READ, PATH_WRITE, PATH_EXECUTE };

/* One list of one layer: the right stays at and below these paths, and goes everywhere else. */
struct spec_path_list {
	enum spec_path_right right;
	const char *const *paths; /* absolute inside, lexically normal */
	size_t n_paths;
	struct spec_origin origin;
};

/* TCP ports that stay usable; all of them where nothing is said. */
struct spec_port_list {
	bool is_limited;
	const uint16_t *ports;
	size_t n_ports;
	struct spec_origin origin;
};

struct spec_landlock {
	enum spec_demand demand;
	struct spec_origin origin;
	/* Each tightens what those before it leave. */
	const struct spec_path_list *lists;
	size_t n_lists;
	struct spec_port_list connect_tcp;
	struct spec_port_list bind_tcp;
};

#define APPARMOR_OWN_PROFILE "cordon-workload" /* profiles/apparmor/cordon-workload */

struct spec_apparmor {
	enum spec_demand demand;
	bool is_auto; /* cordon's own profile, and none where the kernel has no AppArmor */
	const char *profile;
	struct spec_origin origin;
};

/* ---- network ---- */
enum {
	SPEC_NETWORKS_MAX = 8,
	SPEC_ALIASES_MAX = 16,
	SPEC_PUBLISH_MAX = 64,
	SPEC_EXPOSED_MAX = 256,
	SPEC_MAC_LEN = 6,
	SPEC_HOST_NAME_MAX = 63, /* of a name that is looked up: RFC 1035, 2.3.4 */
};

enum spec_network_kind {
	NETWORK_OF_ITS_OWN,   /* a namespace of its own, with one link for each endpoint */
	NETWORK_OF_A_SANDBOX, /* that of another sandbox */
	NETWORK_OF_THE_HOST,  /* that of whoever starts it: waived by name */
};

/* The network that is there without being made. What links do there is Docker's old way: their
 * source has to run, and they are variables, lines of /etc/hosts and rules. */
#define SPEC_DEFAULT_NETWORK "bridge"

/* What a sandbox calls another one, which elsewhere need not be there yet. */
struct spec_link {
	const char *source;
	const char *alias;
};

/* Its place in one network: eth0 is the first, eth1 the second. */
struct spec_endpoint {
	const char *network;
	const char *ip;  /* the address that it is to have; "": the lowest free one */
	const char *ip6; /* likewise */
	bool has_mac;
	uint8_t mac[SPEC_MAC_LEN];
	const char *const *aliases; /* by which others of the network find it */
	size_t n_aliases;
	const struct spec_link *links; /* by which it finds others there */
	size_t n_links;
	struct spec_origin origin;
};

#define SPEC_HOST_GATEWAY "host-gateway" /* the gateway of its first network */

struct spec_host {
	const char *name;
	const char *address; /* or SPEC_HOST_GATEWAY */
};

/* A port of the host's that is the sandbox's. */
struct spec_publish {
	int family; /* of address; 0: any */
	uint8_t address[16];
	uint8_t protocol; /* IPPROTO_TCP, IPPROTO_UDP */
	uint16_t host;    /* 0: any that is free */
	uint16_t inside;
	struct spec_origin origin;
};

/* A port that somebody inside may ask for: by network.expose, of its image, or published. */
struct spec_exposed {
	uint16_t port;
	uint8_t protocol;
};

#define SPEC_RATE_LEAST    8000ULL
#define SPEC_RATE_MOST     100000000000ULL
#define SPEC_BURST_LEAST   (2ULL << 10)
#define SPEC_BURST_MOST    (256ULL << 20)
#define SPEC_BURST_SECONDS 60 /* and what passes in that time: a rate is no rate else */

/* How fast, one way; by the length of Ethernet frames, without preamble and checksum. */
struct spec_traffic {
	uint64_t rate_bits;   /* in a second; 0: as fast as it goes */
	uint64_t burst_bytes; /* at once, after a pause; 0: what suits the rate */
};

struct spec_network {
	enum spec_network_kind kind;
	const char *sandbox; /* NETWORK_OF_A_SANDBOX: its name or id; else "" */
	struct spec_endpoint endpoints[SPEC_NETWORKS_MAX];
	size_t n_endpoints; /* 0: nothing but a loopback of its own */
	/* What its /etc/resolv.conf and /etc/hosts say beside what follows from the networks. */
	const char *const *dns; /* addresses of name servers */
	size_t n_dns;
	const char *const *dns_search;
	size_t n_dns_search;
	const char *const *dns_options;
	size_t n_dns_options;
	const struct spec_host *hosts;
	size_t n_hosts;
	const struct spec_publish *publish;
	size_t n_publish;
	const struct spec_exposed *exposed; /* by number, TCP before UDP, each once */
	size_t n_exposed;
	/* As seen from the sandbox, of all its networks together. */
	struct spec_traffic egress;
	struct spec_traffic ingress;
	struct spec_egress reach; /* of what it sends: to whom */
	struct spec_origin origin;
};

/* ---- supervision: of sandboxes that are kept; a run that is not kept uses none of it ---- */
enum spec_restart { RESTART_NO, RESTART_ON_FAILURE, RESTART_ALWAYS, RESTART_UNLESS_STOPPED };

enum {
	SPEC_LOG_FILES_MAX = 8,
	SPEC_LOG_SIZE_LEAST = 64 << 10,
	SPEC_LOG_SIZE_MOST = 1 << 30,
	SPEC_LOG_SIZE_DEFAULT = 5 << 20,
	SPEC_LOG_FILES_DEFAULT = 2,
};

/* What is kept of the output. */
struct spec_logging {
	uint64_t max_size; /* bytes of one file */
	uint32_t max_files;
};

struct spec_supervision {
	enum spec_restart restart;
	uint32_t restart_max;      /* RESTART_ON_FAILURE: so many times; 0: no bound */
	struct spec_origin origin; /* of restart */
};

enum { SPEC_LABELS_MAX = 128, SPEC_LABEL_NAME_MAX = 255, SPEC_LABEL_VALUE_MAX = 4096 };

/* Printable text in UTF-8, the name neither empty nor with '=' or a blank in it. */
struct spec_label {
	const char *name;
	const char *value;
};

/* ---- limits ---- */
enum { SPEC_RLIMITS_MAX = 16 };
#define SPEC_UNLIMITED UINT64_MAX

struct spec_rlimit {
	const char *name; /* key below limits.ulimits, or "nproc" */
	int32_t resource; /* RLIMIT_* */
	uint64_t value;   /* soft and hard; SPEC_UNLIMITED for none */
	struct spec_origin origin;
};

/* Limits of the sandbox as a whole. Each is enforced by control groups, but for: pids (without a
 * group by RLIMIT_NPROC), idle_time and output (counted by the launcher). */
enum spec_limit {
	LIMIT_PIDS,       /* tasks of the workload, our init not counted */
	LIMIT_MEMORY,     /* bytes */
	LIMIT_SWAP,       /* bytes of swap alone; only with LIMIT_MEMORY */
	LIMIT_CPUS,       /* microseconds of processor time in each second: 500000 is half of one */
	LIMIT_CPU_WEIGHT, /* 1 to 10000 as cgroup v2 counts, where 100 is usual */
	LIMIT_CPUSET,     /* bit n: processor n; see spec_limits.cpuset */
	LIMIT_IO_READ,    /* bytes in a second, of each block device */
	LIMIT_IO_WRITE,
	LIMIT_CPU_TIME,  /* milliseconds, user and system */
	LIMIT_IDLE_TIME, /* milliseconds without processor time and output */
	LIMIT_OUTPUT,    /* bytes written to descriptors 1 and 2 together */
	SPEC_LIMITS,
};

struct spec_total {
	enum spec_demand demand; /* DEMAND_NONE: no such limit, and the rest means nothing */
	uint64_t value;
	struct spec_origin origin;
};

enum { SPEC_CPUS_MAX = 1024, SPEC_USUAL_WEIGHT = 100 };

struct spec_limits {
	struct spec_rlimit rlimits[SPEC_RLIMITS_MAX]; /* limits.ulimits.*, without nproc */
	size_t n_rlimits;
	uint64_t nproc; /* RLIMIT_NPROC of the workload's user, our init not counted;
			   SPEC_UNLIMITED: as many as the caller may have */
	struct spec_origin nproc_origin;
	uint64_t wall_time_ms; /* SPEC_UNLIMITED: none */
	struct spec_origin wall_time_origin;
	struct spec_total total[SPEC_LIMITS];
	uint64_t cpuset[SPEC_CPUS_MAX / 64]; /* LIMIT_CPUSET: bit n%64 of word n/64 */
};

/* The key of a limit below limits: "pids", "io.read". */
extern const char *const spec_limit_names[SPEC_LIMITS];

/* ---- where everything comes from ---- */
struct spec_value {      /* one line of `cordon explain` */
	const char *key; /* "limits.nproc", "seccomp.allow[0]" */
	const char *value;
	struct spec_origin origin;
};

struct spec_profile {
	const char *path;   /* as in spec_origin.file */
	const char *digest; /* "sha256:" and 64 hex digits of the file's bytes */
};

struct spec_waiver {
	const char *name;
	const char *reason;
	struct spec_origin origin;
};

/* Something in the policy that has no effect. */
struct spec_warning {
	struct spec_origin origin;
	const char *text;
};

struct spec_provenance {
	/* From the root of the inheritance to the leaf, then the files that they name. */
	const struct spec_profile *profiles;
	size_t n_profiles;
	const struct spec_value
		*values; /* sorted by key; none unless policy_request.wants_values */
	size_t n_values;
	const struct spec_waiver *waivers; /* sorted by name */
	size_t n_waivers;
	const struct spec_warning *warnings; /* none unless policy_request.wants_values */
	size_t n_warnings;
};

struct sandbox_spec {
	struct spec_identity identity;
	struct spec_process process;
	struct spec_rootfs rootfs;
	const struct spec_mount *mounts;
	size_t n_mounts;
	const struct spec_secret *secrets;
	size_t n_secrets;
	uint64_t capabilities; /* bit n: capability n is kept; 0 in this build */
	struct spec_seccomp seccomp;
	struct spec_landlock landlock;
	struct spec_apparmor apparmor;
	struct spec_limits limits;
	struct spec_network network;
	struct spec_supervision supervision;
	struct spec_logging logging;
	const struct spec_label *labels; /* sorted by name */
	size_t n_labels;
	struct spec_provenance provenance;
};

#endif
