/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The floor of the benchmark: the kernel calls of a launch and nothing else. No policy, no journal,
 *no read-back, no checks of what is mounted. Not a sandbox to be used: an error ends it with its
 *line.
 *
 *	bare [-f FILTER] [-u FIRST_HOST_ID] -i INIT OPERATION... -- PROGRAM
 *
 * bind SOURCE PLACE, link PLACE TARGET, file PLACE, null PLACE (a file is hidden), hide PLACE (a
 * directory is), ro PLACE, show SOURCE PLACE (as bind; with -u its owner shows as an id inside).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif
#define PATH_SIZE 4096
#define MAX_OPS   64
#define RO_SAFE   (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
#define PRIVATE   (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/* As in linux/sched.h, which glibc's sched.h does not go with. */
struct clone_call {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
};

struct op {
	const char *verb;
	const char *source;
	const char *place;
	int tree;
};

struct bare {
	const char *filter_path;
	const char *first_id; /* NULL: the caller's own id is the only one */
	const char *init_path;
	char **program;
	struct op ops[MAX_OPS];
	size_t n_ops;
	struct sock_fprog filter;
	int init;
	int mapped[2];
};

#define must(call) must_be((long)(call), #call, __LINE__)

static long must_be(long r, const char *what, int line)
{
	if (r < 0) {
		dprintf(2, "bare: %d: %s: %s\n", line, what, strerror(errno));
		_exit(125);
	}
	return r;
}

/* ---- the tree: every path here is below the staging directory, where the process stands ---- */

static void make_parents(const char *place)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s", place);
	for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path + 1, 0755) != 0 && errno != EEXIST)
			must(-1);
		*slash = '/';
	}
}

static void make_file(const char *place)
{
	make_parents(place);
	must(close((int)must(open(place + 1, O_WRONLY | O_CREAT | O_CLOEXEC, 0644))));
}

static void set_attr(int tree, uint64_t attr)
{
	struct mount_attr set = {.attr_set = attr};

	must(mount_setattr(tree, "", AT_EMPTY_PATH, &set, sizeof(set)));
}

static void attach(int tree, const char *place)
{
	must(move_mount(tree, "", AT_FDCWD, place + 1, MOVE_MOUNT_F_EMPTY_PATH));
	must(close(tree));
}

/* OPTIONS: NULL-terminated pairs of name and value. */
static int make_mount(const char *type, const char *const options[], unsigned attr)
{
	int fs = (int)must(fsopen(type, FSOPEN_CLOEXEC));
	int tree;

	for (size_t i = 0; options != NULL && options[i] != NULL; i += 2)
		must(fsconfig(fs, FSCONFIG_SET_STRING, options[i], options[i + 1], 0));
	must(fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	tree = (int)must(fsmount(fs, FSMOUNT_CLOEXEC, attr));
	must(close(fs));
	return tree;
}

static int make_tmpfs(const char *size, const char *inodes, const char *mode, unsigned attr)
{
	const char *const options[] = {"size", size, "nr_inodes", inodes, "mode", mode, NULL};

	return make_mount("tmpfs", options, attr);
}

static void cover(int tree, const char *place)
{
	set_attr(tree, RO_SAFE | MOUNT_ATTR_NOEXEC);
	attach(tree, place);
}

static int clone_mount(const char *path)
{
	return (int)must(open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
}

/* All empty directories are of the first one's file system. */
static void hide(const char *place)
{
	static const char *first;

	cover(first == NULL ? make_tmpfs("4096", "1", "555", 0) : clone_mount(first + 1), place);
	first = first == NULL ? place : first;
}

static int clone_tree(const char *path)
{
	return (int)must(
		open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
}

static void place_tree(const struct op *op)
{
	struct mount_attr set = {.attr_set = RO_SAFE};
	struct stat st;

	must(fstat(op->tree, &st));
	if (S_ISDIR(st.st_mode)) {
		make_parents(op->place);
		must(mkdir(op->place + 1, 0755));
	} else {
		make_file(op->place);
	}
	must(mount_setattr(op->tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &set, sizeof(set)));
	attach(op->tree, op->place);
}

static void apply(const struct op *op)
{
	switch (op->verb[0] << 8 | op->verb[1]) {
	case 'b' << 8 | 'i':
	case 's' << 8 | 'h':
		place_tree(op);
		break;
	case 'l' << 8 | 'i':
		make_parents(op->place);
		must(op->source == NULL ? -1 : symlink(op->source, op->place + 1));
		break;
	case 'f' << 8 | 'i':
		make_file(op->place);
		break;
	case 'n' << 8 | 'u':
		cover(clone_mount("dev/null"), op->place);
		break;
	case 'h' << 8 | 'i':
		hide(op->place);
		break;
	case 'r' << 8 | 'o':
		cover(clone_mount(op->place + 1), op->place);
		break;
	default:
		dprintf(2, "bare: %s: unknown operation\n", op->verb);
		_exit(125);
	}
}

static void make_dev(void)
{
	static const char *const devices[] = {"null", "zero", "full", "random", "urandom", "tty"};
	static const char *const links[][2] = {{"dev/fd", "/proc/self/fd"},
					       {"dev/stdin", "/proc/self/fd/0"},
					       {"dev/stdout", "/proc/self/fd/1"},
					       {"dev/stderr", "/proc/self/fd/2"},
					       {"dev/ptmx", "pts/ptmx"}};
	static const char *const pts[] = {"ptmxmode", "0666", "mode", "0600", "max", "64", NULL};
	char path[64];

	must(mkdir("dev", 0755));
	attach(make_tmpfs("65536", "64", "755", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC), "/dev");
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		int tree;

		snprintf(path, sizeof(path), "/dev/%s", devices[i]);
		tree = clone_mount(path);
		set_attr(tree, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
		make_file(path);
		attach(tree, path);
	}
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		must(symlink(links[i][1], links[i][0]));
	must(mkdir("dev/pts", 0755));
	attach(make_mount("devpts", pts, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC), "/dev/pts");
	must(mkdir("dev/shm", 0755));
	attach(make_tmpfs("67108864", "4096", "1777", PRIVATE), "/dev/shm");
}

static void write_file(const char *path, const char *text)
{
	int fd = (int)must(open(path, O_WRONLY | O_CLOEXEC));

	must(write(fd, text, strlen(text)));
	must(close(fd));
}

static void make_proc(void)
{
	static const char *const quotas[][2] = {{"max_user_namespaces", "0"},
						{"max_inotify_instances", "32"},
						{"max_inotify_watches", "16384"},
						{"max_fanotify_groups", "0"},
						{"max_fanotify_marks", "0"}};
	char path[128];

	must(mkdir("proc", 0755));
	attach(make_mount("proc", NULL, PRIVATE), "/proc");
	for (size_t i = 0; i < sizeof(quotas) / sizeof(quotas[0]); i++) {
		snprintf(path, sizeof(path), "proc/sys/user/%s", quotas[i][0]);
		write_file(path, quotas[i][1]);
	}
}

static void build_tree(struct bare *bare)
{
	struct mount_attr ro = {.attr_set = MOUNT_ATTR_RDONLY};
	int root;

	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	/* Before the root covers what they lie in. As root the parent has opened what it shows. */
	for (size_t i = 0; i < bare->n_ops; i++)
		if (bare->ops[i].tree < 0 && bare->ops[i].source != NULL &&
		    bare->ops[i].verb[0] != 'l')
			bare->ops[i].tree = clone_tree(bare->ops[i].source);
	root = make_tmpfs("16777216", "8192", "755", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	must(move_mount(root, "", AT_FDCWD, "/tmp", MOVE_MOUNT_F_EMPTY_PATH));
	must(fchdir(root));
	make_dev();
	make_proc();
	must(mkdir("tmp", 0755));
	attach(make_tmpfs("67108864", "16384", "1777", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV),
	       "/tmp");
	for (size_t i = 0; i < bare->n_ops; i++)
		apply(&bare->ops[i]);
	must(mount_setattr(AT_FDCWD, "dev", 0, &ro, sizeof(ro)));
	must(mount_setattr(root, "", AT_EMPTY_PATH, &ro, sizeof(ro)));
	must(syscall(SYS_pivot_root, ".", "."));
	must(umount2(".", MNT_DETACH));
	must(chdir("/"));
}

/* ---- processes ---- */

static void set_up_host(void)
{
	int fd = (int)must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};

	must(ioctl(fd, SIOCSIFFLAGS, &lo));
	must(close(fd));
	must(sethostname("sandbox", 7));
}

static void drop_bounding_set(void)
{
	for (unsigned long cap = 0; cap < 64 && prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		must(prctl(PR_CAPBSET_DROP, cap));
	must(prctl(PR_SET_SECUREBITS,
		   SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
			   SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED));
}

static void drop_privileges(const struct bare *bare, unsigned id)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {0};

	if (bare->first_id != NULL)
		must(syscall(SYS_setgroups, 0, NULL));
	must(syscall(SYS_setresgid, id, id, id));
	must(syscall(SYS_setresuid, id, id, id));
	must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
	must(syscall(SYS_capset, &header, none));
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

static void set_limits(void)
{
	static const struct {
		__rlimit_resource_t resource;
		rlim_t value;
	} limits[] = {{RLIMIT_NOFILE, 1024},     {RLIMIT_FSIZE, 1 << 30},
		      {RLIMIT_CORE, 1},          {RLIMIT_STACK, 8 << 20},
		      {RLIMIT_MEMLOCK, 1 << 16}, {RLIMIT_MSGQUEUE, 1 << 16},
		      {RLIMIT_SIGPENDING, 1024}, {RLIMIT_RTPRIO, 0},
		      {RLIMIT_NPROC, 512}};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct rlimit limit = {limits[i].value, limits[i].value};

		must(setrlimit(limits[i].resource, &limit));
	}
}

static int workload(void *arg)
{
	const struct bare *bare = arg;
	static char *env[] = {(char *)"PATH=/usr/bin:/bin", NULL};
	const struct sigaction reset = {.sa_handler = SIG_DFL};

	for (int sig = 1; sig < NSIG; sig++)
		sigaction(sig, &reset, NULL);
	must(setpgid(0, 0));
	set_limits();
	drop_privileges(bare, 1000);
	if (bare->first_id != NULL)
		must(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0));
	must(chdir("/tmp"));
	must(close_range(3, ~0U, CLOSE_RANGE_CLOEXEC));
	if (bare->filter.len > 0)
		must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &bare->filter));
	execve(bare->program[0], bare->program, env);
	_exit(127);
}

static _Noreturn void child(struct bare *bare)
{
	static char *none[] = {NULL};
	static char *init_argv[] = {(char *)"init", NULL};
	static char stack[64 << 10] __attribute__((aligned(16)));
	char byte;

	must(close(bare->mapped[1]));
	must(read(bare->mapped[0], &byte, 1) - 1);
	if (bare->first_id != NULL) {
		must(syscall(SYS_setgroups, 0, NULL));
		must(syscall(SYS_setresgid, 0, 0, 0));
		must(syscall(SYS_setresuid, 0, 0, 0));
	}
	must(prctl(PR_SET_PDEATHSIG, SIGKILL));
	must(setsid());
	set_up_host();
	build_tree(bare);
	must(unshare(CLONE_NEWCGROUP));
	must(personality(PER_LINUX));
	umask(022);
	drop_bounding_set();
	/* The memory is shared until init's exec, as in cordon: copying it costs more than the
	 * rest. */
	must(clone(workload, stack + sizeof(stack), CLONE_VM | SIGCHLD, bare));
	drop_privileges(bare, bare->first_id != NULL ? 65535 : 1000);
	must(close_range(3, ~0U, CLOSE_RANGE_CLOEXEC));
	must(syscall(SYS_execveat, bare->init, "", init_argv, none, AT_EMPTY_PATH));
	_exit(125);
}

static void write_maps(const struct bare *bare, pid_t pid)
{
	char path[64];
	char map[64];

	if (bare->first_id == NULL) {
		snprintf(path, sizeof(path), "/proc/%d/setgroups", pid);
		write_file(path, "deny");
	}
	snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
	if (bare->first_id != NULL)
		snprintf(map, sizeof(map), "0 %s 65536", bare->first_id);
	else
		snprintf(map, sizeof(map), "1000 %u 1", geteuid());
	write_file(path, map);
	snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
	if (bare->first_id == NULL)
		snprintf(map, sizeof(map), "1000 %u 1", getegid());
	write_file(path, map);
}

/* As root: the detached mounts, which the child has by the same descriptor, get its ids. */
static void map_shown(const struct bare *bare, pid_t pid)
{
	struct mount_attr set = {.attr_set = MOUNT_ATTR_IDMAP};
	char path[64];
	int ns;

	if (bare->first_id == NULL)
		return;
	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	ns = (int)must(open(path, O_RDONLY | O_CLOEXEC));
	set.userns_fd = (unsigned)ns;
	for (size_t i = 0; i < bare->n_ops; i++)
		if (bare->ops[i].tree >= 0)
			must(mount_setattr(bare->ops[i].tree, "", AT_EMPTY_PATH, &set,
					   sizeof(set)));
	must(close(ns));
}

static void read_filter(struct bare *bare)
{
	static struct sock_filter code[BPF_MAXINSNS];
	int fd = (int)must(open(bare->filter_path, O_RDONLY | O_CLOEXEC));
	long size = must(read(fd, code, sizeof(code)));

	must(close(fd));
	bare->filter = (struct sock_fprog){(unsigned short)((size_t)size / sizeof(code[0])), code};
}

static bool takes_source(const char *verb)
{
	return verb[0] == 'b' || verb[0] == 's' || verb[0] == 'l';
}

static void parse(struct bare *bare, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "+f:u:i:")) != -1)
		*(option == 'f'   ? &bare->filter_path
		  : option == 'u' ? &bare->first_id
				  : &bare->init_path) = optarg;
	for (argv += optind; *argv != NULL && bare->n_ops < MAX_OPS && argv[1] != NULL;) {
		struct op *op = &bare->ops[bare->n_ops];

		/* getopt has eaten no "--" behind the first word that is no option. */
		if (strcmp(*argv, "--") == 0) {
			bare->program = argv + 1;
			break;
		}
		op->tree = -1;
		op->verb = *argv++;
		if (takes_source(op->verb))
			op->source = *argv++;
		op->place = *argv++;
		bare->n_ops++;
	}
	if (bare->program == NULL || bare->init_path == NULL) {
		dprintf(2, "bare: see the head of bare.c\n");
		exit(125);
	}
}

int main(int argc, char **argv)
{
	static struct bare bare;
	struct clone_call call = {.flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID |
					   CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
					   CLONE_NEWTIME,
				  .exit_signal = SIGCHLD};
	int status = 0;
	pid_t pid;

	parse(&bare, argc, argv);
	if (bare.filter_path != NULL)
		read_filter(&bare);
	bare.init = (int)must(open(bare.init_path, O_PATH | O_CLOEXEC));
	must(pipe2(bare.mapped, O_CLOEXEC));
	for (size_t i = 0; bare.first_id != NULL && i < bare.n_ops; i++)
		if (bare.ops[i].verb[0] == 's')
			bare.ops[i].tree = clone_mount(bare.ops[i].source);
	pid = (pid_t)must(syscall(SYS_clone3, &call, sizeof(call)));
	if (pid == 0)
		child(&bare);
	write_maps(&bare, pid);
	map_shown(&bare, pid);
	must(write(bare.mapped[1], "", 1));
	must(waitpid(pid, &status, 0));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
