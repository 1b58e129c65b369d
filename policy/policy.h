/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The policy's whole public face: text in, a frozen-ready sandbox_spec out. Pure: it reads files
 * only through the callbacks it is given and changes nothing on the host.
 */
#ifndef CORDON_POLICY_POLICY_H
#define CORDON_POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "policy/spec.h"

/* A file's text, in an arena. */
struct policy_text {
	const char *path; /* what messages call it */
	const char *text; /* not NUL-terminated */
	size_t len;
};

/* One line of an image's configuration: Env, Entrypoint, Cmd (a line for each item), User,
 * WorkingDir, StopSignal, Volume, Label (the name) and LabelValue behind it. */
struct policy_setting {
	const char *key;
	const char *value;
};

/* An image as its maker configured it: anybody may have. In an arena. */
struct policy_image {
	const char *id; /* 64 hex digits */
	const struct policy_setting *settings;
	size_t n_settings;
};

/*
 * What the policy may ask of the host. The callers' real one is launcher/policy_host.c; tests hand
 * in tables. ctx is passed back as it is.
 */
struct policy_host {
	void *ctx;
	/*
	 * The text of a profile. ref is what --profile or `extends` said: a path where it has a
	 * slash (relative to the directory `relative_to`, which is that of the referring file, or
	 * the caller's working directory), else a name, looked up among the shipped profiles,
	 * /etc/cordon/profiles and the user's own. *ret_path is what messages call it, *ret_dir the
	 * directory that its own relative paths start from ("" for shipped ones); *ret_text is not
	 * NUL-terminated. All allocated in arena. The same for a file that a profile names by its
	 * absolute path, with relative_to "".
	 */
	int (*load_profile)(void *ctx, struct arena *arena, const char *ref,
			    const char *relative_to, const char **ret_path, const char **ret_dir,
			    const char **ret_text, size_t *ret_len, struct err *err);
	/*
	 * The text of the rootfs's /etc/passwd or /etc/group (which = "passwd", "group"), read
	 * without following a symlink out of it. For kinds other than dir and image the text is
	 * that of the file which cordon makes.
	 */
	int (*read_accounts)(void *ctx, struct arena *arena, const struct spec_rootfs *rootfs,
			     const char *which, const char **ret_text, size_t *ret_len,
			     struct err *err);
	/* This host's ceiling (policy/ceiling.h); ret->text NULL where there is none, or where the
	 * caller is bound by none. The function NULL: likewise. */
	int (*load_ceiling)(void *ctx, struct arena *arena, struct policy_text *ret,
			    struct err *err);
	/* The text of a file that a flag names (--env-file), by its absolute path. Anybody may have
	 * written it: what it says may weaken nothing. The function NULL: there are none. */
	int (*read_file)(void *ctx, struct arena *arena, const char *path, struct policy_text *ret,
			 struct err *err);
	/* The image of that name or id. A negative errno where there is none, which is no mistake
	 * of the policy's: whoever runs it has to say so. The function NULL: there is none. */
	int (*find_image)(void *ctx, struct arena *arena, const char *name,
			  struct policy_image *ret);
	/* Version of the running kernel, asked for only where a policy depends on it. 0 or a
	 * negative errno. */
	int (*kernel_version)(void *ctx, uint32_t *ret_major, uint32_t *ret_minor);
	const char *cwd;                /* absolute, "" where the caller's directory is gone */
	const char *home;               /* the caller's home directory, "" where unknown */
	const char *const *environment; /* the caller's, for names passed without a value */
	bool stdio_is_file; /* any of descriptors 0 to 2 and --fd, which the workload gets, is a
			       regular file: it stays on the host */
};

enum policy_flag_kind {
	FLAG_SET, /* text = "KEY=VALUE", VALUE as a YAML flow value ("64MiB", "[a, b]", "{a: 1}") */
	FLAG_WAIVE, /* "NAME=REASON" */
	FLAG_RO,    /* host path, shown read-only at the same place inside */
	FLAG_RW,    /* as FLAG_RO, writable */
	FLAG_ENV,   /* "NAME=VALUE", or "NAME" for the caller's value */
	FLAG_WORKING_DIR,
	FLAG_USER,
	FLAG_HOSTNAME,
	FLAG_TIMEOUT,
	/* Docker's, with values as Docker takes them. */
	FLAG_ENV_FILE, /* a file's path; what it says counts less than any FLAG_ENV */
	FLAG_LABEL,    /* "NAME=VALUE", or "NAME" */
	FLAG_LABEL_FILE,
	FLAG_ULIMIT, /* "NAME=VALUE", or "NAME=SOFT:HARD" where both are the same */
	FLAG_MEMORY,
	FLAG_MEMORY_SWAP, /* memory and swap together */
	FLAG_PIDS_LIMIT,
	FLAG_CPUS,
	FLAG_CPUSET_CPUS,
	FLAG_CPU_SHARES,
	FLAG_CAP_ADD,
	FLAG_CAP_DROP,
	FLAG_SECURITY_OPT,
	FLAG_READ_ONLY, /* "true" or "false", as FLAG_INIT */
	FLAG_NETWORK,   /* the first is network.mode, those behind it are network.networks */
	FLAG_NETWORK_ALIAS,
	FLAG_LINK, /* "SANDBOX[:ALIAS]" */
	FLAG_IP,
	FLAG_IP6,
	FLAG_MAC_ADDRESS,
	FLAG_PUBLISH,
	FLAG_PUBLISH_ALL, /* "true" or "false" */
	FLAG_EXPOSE,
	FLAG_TMPFS,  /* "PATH[:OPTION,...]" */
	FLAG_VOLUME, /* "[SOURCE:]TARGET[:MODE,...]" */
	FLAG_MOUNT,  /* "KEY=VALUE,..." */
	/* One mount of another sandbox, as an entry of `volumes` ("{type: ...}"), wherever it
	 * stands: of one target the last counts, and any other flag more. The sandbox's name is the
	 * command's to resolve. */
	FLAG_VOLUMES_FROM,
	FLAG_ADD_HOST, /* "NAME:ADDRESS", "NAME=ADDRESS" */
	FLAG_DNS,
	FLAG_DNS_SEARCH,
	FLAG_DNS_OPTION,
	FLAG_EGRESS_RATE,
	FLAG_EGRESS_BURST,
	FLAG_INGRESS_RATE,
	FLAG_INGRESS_BURST,
	FLAG_RESTART,
	FLAG_STOP_SIGNAL,
	FLAG_STOP_TIMEOUT,
	FLAG_INIT,
	FLAG_IMAGE,       /* the image to run from: no flag, but the first word of the command */
	FLAG_STORAGE_OPT, /* "size=SIZE" */
	POLICY_FLAG_KINDS,
};

/* One `--set KEY=VALUE`, `--ro PATH`, ... of the command line: the last layer, in order of
 * appearance. */
struct policy_flag {
	enum policy_flag_kind kind;
	const char *name; /* as it was typed, "-e" or "--env", for messages; NULL: the usual one */
	const char *text;
};

/* "--set", "-e"; "" for a number that is no kind. */
const char *policy_flag_name(enum policy_flag_kind kind);

/* The keys that a kind of flag sets, for people: "limits.memory"; "" for --set, which is any. */
const char *policy_flag_keys(enum policy_flag_kind kind);

struct policy_request {
	const char *profile; /* name or path; NULL: "default" */
	const struct policy_flag *flags;
	size_t n_flags;
	const int *fds; /* --fd: descriptors that are passed on, SPEC_FDS_MAX at most */
	size_t n_fds;
	bool wants_values;  /* spec.provenance has values and warnings, for `explain` */
	bool wants_origins; /* spec.seccomp.calls has every call that is refused by a line of its
			       own, also where the answer is the default's */
	/* Another program, to be started in the sandbox that the rest describes, whose own program
	 * stays argv; NULL: none. */
	const char *const *entering_argv;
	const char *const *argv; /* NULL-terminated; argv[0] NULL for `explain` and `profile check`.
				    With FLAG_IMAGE what stands behind the image: its Entrypoint
				    comes before, and without words its Cmd behind */
	const char *entrypoint;  /* with FLAG_IMAGE: in the place of its Entrypoint and Cmd; "": of
				    both none; NULL: the image's */
};

/* One mistake in a policy file or flag. */
struct policy_problem {
	struct spec_origin origin;
	const char *text;      /* "unknown key 'memroy'" */
	const char *expected;  /* "one of: ..." or ""; a full sentence */
	const char *hint;      /* "did you mean 'memory'?" or "" */
	const char *line_text; /* the source line, for the caret under origin.column; "" where there
				  is none */
	const char *rule;      /* stable id such as "unknown-key" */
};

enum { POLICY_PROBLEMS_MAX = 64 };

/* All the mistakes of one reading; beyond POLICY_PROBLEMS_MAX only counted. Sorted by file order
 * and line. */
struct policy_problems {
	struct policy_problem list[POLICY_PROBLEMS_MAX];
	size_t n;
	size_t n_dropped;
};

/*
 * Reads the profile and its parents, merges flags over them, resolves and checks, and fills
 * *ret_spec with pointers into arena (which the caller freezes). Returns 0; or a negative errno
 * with err filled (the first problem in one line) and, for mistakes in the policy, all of them in
 * *problems. problems->n may be greater than 0 only on failure.
 */
int must_check policy_resolve(const struct policy_request *request, const struct policy_host *host,
			      struct arena *arena, struct sandbox_spec *ret_spec,
			      struct policy_problems *problems, struct err *err);

/* "allow", "errno(EPERM)", ...: as a policy writes it. Returns a constant, or buf (64 bytes do). */
const char *policy_action_text(struct spec_action action, char *buf, size_t size);

/*
 * The seccomp program of a spec as an array of struct sock_filter (linux/filter.h, 8 bytes each).
 * Allocated with malloc; *ret_program is the caller's to free. The program is complete: it kills
 * architectures that the spec has no calls of, and x32, answers every call as spec says, and always
 * admits the launcher's last calls (native execve, write, exit_group), which
 * policy_seccomp_always_admitted lists. Runs in:
 * keeper, prepare. Errors: -EINVAL, -ENOMEM, -E2BIG (more than BPF_MAXINSNS).
 */
int must_check policy_seccomp_compile(const struct spec_seccomp *seccomp, void **ret_program,
				      size_t *ret_n_instructions, struct err *err);
const char *const *policy_seccomp_always_admitted(void);

/*
 * As policy_seccomp_compile, but where that answers errno(X) this one asks a listener
 * (SECCOMP_RET_USER_NOTIF), which is to give the same answer. All else is the same: kill and trap
 * stay, and so does what is admitted. The kernel answers ENOSYS where the listener is gone. The
 * workload cannot have a listener, then neither: among filters that ask, the newest one's is asked,
 * and it could admit the call (seccomp_unotify(2)).
 */
int must_check policy_seccomp_compile_notifying(const struct spec_seccomp *seccomp,
						void **ret_program, size_t *ret_n_instructions,
						struct err *err);

/* Why a call is answered as it is. */
struct policy_seccomp_answer {
	struct spec_action action;
	struct spec_origin origin;
	const char *call;                  /* NULL: this build knows no such call */
	const struct spec_call_rule *rule; /* whose conditions hold; NULL: none's */
	bool is_fixed;                     /* follows from another part of the policy: no waiver */
};

/* What the program of policy_seccomp_compile answers to a native call, read from the spec. Pure. */
struct policy_seccomp_answer policy_seccomp_answer(const struct spec_seccomp *seccomp,
						   int32_t number, const uint64_t args[6]);
/* The same of a call of the second architecture. */
struct policy_seccomp_answer policy_seccomp_answer_second(const struct spec_seccomp *seccomp,
							  int32_t number, const uint64_t args[6]);

/* Of native numbers. */
bool policy_seccomp_admits_always(int32_t number);

/* A node of a shipped profile, from the build (policy/gen/profile_nodes.c): struct policy_node,
 * with offsets for texts. In the order of the text; a node's parent is the last one before it with
 * a smaller depth. */
struct policy_shipped_node {
	uint16_t line, column;
	uint16_t key_line, key_column;
	uint8_t kind;
	uint8_t depth;
	bool is_quoted;
	bool appends;
	uint16_t key, text; /* in policy_shipped.strings */
};

/* The shipped profiles, compiled into the program. */
struct policy_shipped {
	const char *name;
	const char *text;
	size_t len;
	const char *digest; /* as digest_sha256 gives it, from the build */
	const struct policy_shipped_node *nodes;
	size_t n_nodes;
	const char *strings;
};
extern const struct policy_shipped policy_shipped_profiles[];
extern const size_t policy_n_shipped_profiles;

#endif
