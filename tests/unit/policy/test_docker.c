/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * seccomp.docker_profile: Docker's own default profile against the program that libseccomp makes of
 * it, and what files may say, must not say, and mean beneath and above other layers.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "base/str.h"
#include "policy/syscalls.h"
#include "tests/lib/bpf_sim.h"
#include "tests/lib/policy_fixture.h"
#include "tests/lib/verdict_rows.h"

#define ALLOW    SECCOMP_RET_ALLOW
#define KILL     SECCOMP_RET_KILL_PROCESS
#define TRAP     SECCOMP_RET_TRAP
#define LOG      SECCOMP_RET_LOG
#define ERRNO(e) (SECCOMP_RET_ERRNO | (e))
#define HIGH     0x100000000ULL
#define N(array) (sizeof(array) / sizeof((array)[0]))

static const char docker_file[] = "tests/bench/data/docker-default-seccomp.json";
static const char only_docker[] = "cordon: 1\nseccomp: {docker_profile: ./f.json}\n";

struct program {
	struct policy_fixture fixture;
	void *filter;
	size_t n;
};

/* A policy with the JSON text beside it as f.json. */
static int resolve(struct program *program, const char *policy, const char *json)
{
	program->filter = NULL;
	fixture_init(&program->fixture);
	fixture_profile(&program->fixture, "/ward/project/f.json", json);
	return fixture_resolve(&program->fixture, policy);
}

static void program_init(struct program *program, const char *policy, const char *json)
{
	if (resolve(program, policy, json) != 0)
		fail_msg("%s", program->fixture.err.text);
	if (policy_seccomp_compile(&program->fixture.spec.seccomp, &program->filter, &program->n,
				   &program->fixture.err) != 0)
		fail_msg("%s", program->fixture.err.text);
}

static void program_release(struct program *program)
{
	free(program->filter);
	fixture_release(&program->fixture);
}

static const char *docker_text(void)
{
	static char text[32768];

	assert_true(io_read_text(AT_FDCWD, docker_file, text, sizeof(text)) > 0);
	return text;
}

static void check_rows(const struct program *program, const struct row *rows, size_t n)
{
	verdict_rows_check(program->filter, program->n, rows, n);
}

#define CHECK(program, rows) check_rows(program, rows, N(rows))

/* ---- Docker's default profile ---- */

#ifdef __x86_64__
struct reference {
	struct sock_filter filter[512];
	size_t n;
};

static void reference_read(struct reference *ret)
{
	int fd = open("tests/bench/data/docker-default-x86_64.bpf", O_RDONLY | O_CLOEXEC);
	ssize_t size = read(fd, ret->filter, sizeof(ret->filter));

	assert_true(size > 0);
	close(fd);
	ret->n = (size_t)size / sizeof(ret->filter[0]);
}

/*
 * Where cordon answers otherwise, and why. The reference was made for Docker's usual capabilities,
 * by a libseccomp that knows the calls up to Linux 5.17.
 */
struct difference {
	int32_t first, last;
	uint32_t theirs, ours;
	const char *why;
};

static const struct difference differences[] = {
	{161, 161, ALLOW, ERRNO(EPERM), "chroot: for CAP_SYS_CHROOT, which no workload has"},
	{335, 335, ERRNO(EPERM), ALLOW, "uretprobe: listed, too new for the reference"},
	{337, 423, ERRNO(EPERM), ERRNO(ENOSYS), "numbers of no call: seccomp.unknown"},
	{457, 458, ERRNO(EPERM), ALLOW, "statmount, listmount: as uretprobe"},
	{462, 466, ERRNO(EPERM), ALLOW, "mseal, setxattrat and its kin: as uretprobe"},
	{470, 511, ERRNO(EPERM), ERRNO(ENOSYS), "numbers of no call: seccomp.unknown"},
};

static const struct difference *find_difference(int32_t number)
{
	for (size_t i = 0; i < N(differences); i++)
		if (number >= differences[i].first && number <= differences[i].last)
			return &differences[i];
	return NULL;
}

static void every_number(void **state)
{
	static struct reference reference;
	struct program program;

	(void)state;
	reference_read(&reference);
	program_init(&program, only_docker, docker_text());
	for (int32_t number = 0; number < SYSCALLS_END; number++) {
		struct seccomp_data data = {.arch = NATIVE, .nr = number};
		uint32_t theirs = bpf_sim_run(reference.filter, reference.n, &data);
		uint32_t ours = bpf_sim_run(program.filter, program.n, &data);
		const struct difference *difference = find_difference(number);

		if (difference != NULL ? theirs != difference->theirs || ours != difference->ours
				       : theirs != ours)
			fail_msg("call %d: %x, the reference says %x", number, ours, theirs);
	}
	program_release(&program);
}
#endif

/* Arguments, and numbers that are none of the architecture's. */
static void docker_arguments(void **state)
{
	static const struct row rows[] = {
		{"socket", {AF_UNIX, SOCK_STREAM}, ALLOW},
		{"socket", {37}, ALLOW},
		{"socket", {AF_ALG}, ERRNO(EPERM)},
		{"socket", {39}, ALLOW},
		{"socket", {AF_VSOCK}, ERRNO(EPERM)},
		{"socket", {41}, ALLOW},
		{"socket", {UINT32_MAX}, ALLOW},
		/* libseccomp compares 64 bits, and lets both of these through. */
		{"socket", {HIGH | AF_ALG}, ERRNO(EPERM)},
		{"socket", {HIGH | AF_VSOCK}, ERRNO(EPERM)},
		{"personality", {0}, ALLOW},
		{"personality", {8}, ALLOW},
		{"personality", {0x20000}, ALLOW},
		{"personality", {0x20008}, ALLOW},
		{"personality", {0xffffffff}, ALLOW},
		{"personality", {9}, ERRNO(EPERM)},
		{"personality", {0x0040000}, ERRNO(EPERM)},
		{"clone", {SIGCHLD}, ALLOW},
		{"clone", {CLONE_NEWUSER | SIGCHLD}, ERRNO(EPERM)},
		{"clone", {CLONE_NEWNS}, ERRNO(EPERM)},
		{"clone", {CLONE_NEWNET}, ERRNO(EPERM)},
		{"clone", {HIGH | CLONE_NEWNET}, ERRNO(EPERM)},
		{"clone3", {0}, ERRNO(ENOSYS)},
		{"ptrace", {0}, ALLOW}, /* minKernel 4.8 */
		{"bpf", {0}, ERRNO(EPERM)},
		{"open_by_handle_at", {0}, ERRNO(EPERM)},
		{"execve", {0}, ALLOW},
		{"arch_prctl", {0}, ALLOW}, /* amd64 alone */
	};
	static const struct row old_kernel[] = {{"ptrace", {0}, ERRNO(EPERM)},
						{"process_vm_readv", {0}, ERRNO(EPERM)},
						{"read", {0}, ALLOW}};
	struct program program;

	(void)state;
	program_init(&program, only_docker, docker_text());
	CHECK(&program, rows);
	program_release(&program);

	fixture_init(&program.fixture);
	program.fixture.kernel[0] = 4;
	program.fixture.kernel[1] = 7;
	fixture_profile(&program.fixture, "/ward/project/f.json", docker_text());
	assert_int_equal(fixture_resolve(&program.fixture, only_docker), 0);
	assert_int_equal(policy_seccomp_compile(&program.fixture.spec.seccomp, &program.filter,
						&program.n, &program.fixture.err),
			 0);
	CHECK(&program, old_kernel);
	program_release(&program);
}

static void docker_foreign(void **state)
{
	static const struct {
		uint32_t arch;
		uint32_t nr;
	} rows[] = {
		{AUDIT_ARCH_I386, 4},
		{AUDIT_ARCH_ARM, 4},
		{0, 0},
#ifdef __x86_64__
		/* archMap has x32 as well; what is not seccomp.architectures' is killed. */
		{NATIVE, 0x40000000},
		{NATIVE, 0x40000000 | 59},
#endif
	};
	struct program program;

	(void)state;
	program_init(&program, only_docker, docker_text());
	for (size_t i = 0; i < N(rows); i++) {
		struct seccomp_data data = {.arch = rows[i].arch, .nr = (int)rows[i].nr};

		assert_int_equal(bpf_sim_run(program.filter, program.n, &data), KILL);
	}
	program_release(&program);
}

/* ---- what a file may say ---- */

static const char meaning_json[] =
	"{\"defaultAction\": \"SCMP_ACT_KILL\", \"architectures\": [\"SCMP_ARCH_X86\"],\n"
	"\"flags\": [\"SECCOMP_FILTER_FLAG_TSYNC\"], \"listenerPath\": \"\",\n"
	"\"syscalls\": [\n"
	"{\"name\": \"read\", \"action\": \"SCMP_ACT_ALLOW\", \"args\": null},\n"
	"{\"names\": [\"getpid\", \"no_such_call\", \"_newselect\"],\n"
	" \"action\": \"SCMP_ACT_ALLOW\", \"args\": [], \"comment\": \"\\u00e4\"},\n"
	"{\"names\": [\"getpid\"], \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 5},\n"
	"{\"names\": [\"getuid\"], \"action\": \"SCMP_ACT_ERRNO\", \"errno\": \"EIO\"},\n"
	"{\"names\": [\"getgid\"], \"action\": \"SCMP_ACT_ERRNO\"},\n"
	"{\"names\": [\"getppid\"], \"action\": \"SCMP_ACT_LOG\"},\n"
	"{\"names\": [\"umask\"], \"action\": \"SCMP_ACT_TRAP\"},\n"
	/* Several arguments: all; one argument twice: either. */
	"{\"names\": [\"kill\"], \"action\": \"SCMP_ACT_ALLOW\", \"args\": [\n"
	" {\"index\": 0, \"value\": 7, \"op\": \"SCMP_CMP_EQ\"},\n"
	" {\"index\": 1, \"value\": 15, \"op\": \"SCMP_CMP_NE\"}]},\n"
	"{\"names\": [\"tkill\"], \"action\": \"SCMP_ACT_ALLOW\", \"args\": [\n"
	" {\"index\": 1, \"value\": 3, \"op\": \"SCMP_CMP_LE\"},\n"
	" {\"index\": 1, \"value\": 9, \"op\": \"SCMP_CMP_GE\"}]},\n"
	/* A refusal beside a permission, with and without conditions. */
	"{\"names\": [\"lseek\"], \"action\": \"SCMP_ACT_ALLOW\"},\n"
	"{\"names\": [\"lseek\"], \"action\": \"SCMP_ACT_ERRNO\", \"args\": [\n"
	" {\"index\": 2, \"value\": 1, \"op\": \"SCMP_CMP_EQ\"}]},\n"
	"{\"names\": [\"flock\"], \"action\": \"SCMP_ACT_ALLOW\", \"args\": [\n"
	" {\"index\": 1, \"value\": 2, \"op\": \"SCMP_CMP_GT\"}]},\n"
	"{\"names\": [\"flock\"], \"action\": \"SCMP_ACT_ERRNO\", \"args\": [\n"
	" {\"index\": 1, \"value\": 5, \"op\": \"SCMP_CMP_LT\"}]},\n"
	"{\"names\": [\"mprotect\"], \"action\": \"SCMP_ACT_ALLOW\", \"args\": [\n"
	" {\"index\": 2, \"value\": 4294967300, \"valueTwo\": 4294967296,\n"
	"  \"op\": \"SCMP_CMP_MASKED_EQ\"}]}\n"
	"]}";
static const struct row meaning_rows[] = {
	{"read", {0}, ALLOW},
	{"getpid", {0}, ERRNO(5)},
	{"getuid", {0}, ERRNO(EIO)},
	{"getgid", {0}, ERRNO(EPERM)},
	{"getppid", {0}, LOG},
	{"umask", {0}, TRAP},
	{"getsid", {0}, KILL},
	{"kill", {7, 9}, ALLOW},
	{"kill", {7, 15}, KILL},
	{"kill", {8, 9}, KILL},
	{"kill", {HIGH | 7, HIGH | 9}, ALLOW},
	{"tkill", {1, 3}, ALLOW},
	{"tkill", {1, 4}, KILL},
	{"tkill", {1, 8}, KILL},
	{"tkill", {1, 9}, ALLOW},
	{"lseek", {1, 0, 0}, ALLOW},
	{"lseek", {1, 0, 1}, ERRNO(EPERM)},
	{"lseek", {1, 0, HIGH | 1}, ERRNO(EPERM)},
	{"flock", {1, 2}, ERRNO(EPERM)},
	{"flock", {1, 3}, ERRNO(EPERM)},
	{"flock", {1, 5}, ALLOW},
	{"mprotect", {0, 0, HIGH}, ALLOW},
	{"mprotect", {0, 0, HIGH | 1}, ALLOW},
	{"mprotect", {0, 0, HIGH | 4}, KILL},
	{"mprotect", {0, 0, 0}, KILL},
	{"execve", {0}, ALLOW},
	{"write", {0}, ALLOW},
};

static void meaning(void **state)
{
	struct program program;

	(void)state;
	program_init(&program, only_docker, meaning_json);
	CHECK(&program, meaning_rows);
	assert_int_equal(program.fixture.spec.provenance.n_profiles, 2);
	assert_string_equal(program.fixture.spec.provenance.profiles[1].path,
			    "/ward/project/f.json");
	program_release(&program);
}

/* A file whose default permits: only what it refuses is refused. */
static void deny_list(void **state)
{
	static const char json[] =
		"{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"ptrace\"],"
		" \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 38}]}";
	static const struct row alone[] = {{"ptrace", {0}, ERRNO(ENOSYS)},
					   {"mount", {0}, ALLOW},
					   {"read", {0}, ALLOW}};
	static const struct row above[] = {{"ptrace", {0}, ERRNO(ENOSYS)},
					   {"mount", {0}, ERRNO(EPERM)},
					   {"read", {0}, ALLOW}};
	struct program program;

	(void)state;
	program_init(&program, only_docker, json);
	CHECK(&program, alone);
	program_release(&program);
	program_init(&program, "cordon: 1\nextends: default\nseccomp: {docker_profile: f.json}\n",
		     json);
	CHECK(&program, above);
	program_release(&program);
}

/* ---- beside other layers ---- */

static void above_a_parent(void **state)
{
	static const struct row rows[] = {
		{"read", {0}, ALLOW},
		{"ptrace", {0}, ERRNO(EPERM)},           /* the parent does not permit it */
		{"landlock_create_ruleset", {0}, ALLOW}, /* both */
		{"mbind", {0}, ERRNO(EPERM)},            /* Docker does not */
		{"clone", {SIGCHLD}, ALLOW},
		{"clone", {CLONE_NEWNS}, ERRNO(EPERM)},
		{"clone", {0x80}, ERRNO(EPERM)}, /* the parent alone refuses CLONE_NEWTIME */
		{"clone3", {0}, ERRNO(ENOSYS)},
		{"socket", {AF_UNIX}, ALLOW},
		{"socket", {AF_VSOCK}, ERRNO(EPERM)},
		{"socket", {AF_PACKET}, ERRNO(EAFNOSUPPORT)},
		{"socket", {AF_NETLINK, SOCK_RAW, 15}, ERRNO(EAFNOSUPPORT)},
		{"personality", {0}, ALLOW},
		{"personality", {8}, ERRNO(EPERM)},         /* Docker permits it, the parent not */
		{"personality", {0x0040000}, ERRNO(EPERM)}, /* the other way round */
	};
	static const struct row waived[] = {{"ptrace", {0}, ALLOW},
					    {"mount", {0}, ERRNO(EPERM)},
					    {"read", {0}, ALLOW}};
	struct program program;

	(void)state;
	program_init(&program, "cordon: 1\nextends: default\nseccomp: {docker_profile: ./f.json}\n",
		     docker_text());
	CHECK(&program, rows);
	program_release(&program);
	/* A waiver is for what the parent refuses; the file still says what it says. */
	program_init(&program,
		     "cordon: 1\nextends: default\nseccomp: {docker_profile: ./f.json}\n"
		     "waive: {'seccomp.call:ptrace': debugger, 'seccomp.call:mount': no}\n",
		     docker_text());
	CHECK(&program, waived);
	program_release(&program);
}

static void stricter_parent(void **state)
{
	static const char parent[] = "cordon: 1\nseccomp:\n  default: kill\n  allow: [read, kill,"
				     " getpid]\n  deny:\n  - {call: kill, args: {1: {eq: 9}}, "
				     "action: trap}\n  - {call: kill, args: {1: {eq: 8}}, "
				     "action: errno(EIO)}\n";
	static const char json[] =
		"{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [{\"names\": [\"kill\"],"
		"\"action\": \"SCMP_ACT_ALLOW\", \"args\": [{\"index\": 1, \"value\": 8, \"op\":"
		"\"SCMP_CMP_GE\"}]}, {\"names\": [\"getpid\"], \"action\": \"SCMP_ACT_LOG\"}]}";
	static const struct row rows[] = {
		{"kill", {1, 7}, ERRNO(EPERM)}, {"kill", {1, 8}, ERRNO(EIO)},
		{"kill", {1, 9}, TRAP},         {"kill", {1, 10}, ALLOW},
		{"getpid", {0}, LOG},           {"read", {0}, ERRNO(EPERM)},
		{"getuid", {0}, KILL},
	};
	struct program program;

	(void)state;
	program.filter = NULL;
	fixture_init(&program.fixture);
	fixture_profile(&program.fixture, "/ward/project/f.json", json);
	fixture_profile(&program.fixture, "/ward/project/parent.yaml", parent);
	assert_int_equal(fixture_resolve(&program.fixture, "cordon: 1\nextends: ./parent.yaml\n"
							   "seccomp: {docker_profile: f.json}\n"),
			 0);
	assert_int_equal(policy_seccomp_compile(&program.fixture.spec.seccomp, &program.filter,
						&program.n, &program.fixture.err),
			 0);
	CHECK(&program, rows);
	program_release(&program);
}

/* A child of a profile with such a file, and refusals beside it. */
static void below_a_child(void **state)
{
	static const struct row rows[] = {
		{"read", {0}, ALLOW},
		{"getpid", {0}, ERRNO(EIO)},
		{"getuid", {0}, ERRNO(EPERM)},
		{"clone", {CLONE_NEWNS}, ERRNO(EPERM)},
	};
	struct program program;

	(void)state;
	program.filter = NULL;
	fixture_init(&program.fixture);
	fixture_profile(&program.fixture, "/ward/project/f.json", docker_text());
	fixture_profile(&program.fixture, "/ward/project/parent.yaml",
			"cordon: 1\nseccomp:\n  docker_profile: f.json\n  unknown: kill\n"
			"  deny: [{call: getpid, action: errno(EIO)}]\n");
	assert_int_equal(fixture_resolve(&program.fixture,
					 "cordon: 1\nextends: ./parent.yaml\n"
					 "seccomp: {allow: [read, clone, getpid]}\n"),
			 -EINVAL);
	fixture_release(&program.fixture);
	fixture_init(&program.fixture);
	fixture_profile(&program.fixture, "/ward/project/f.json", docker_text());
	fixture_profile(&program.fixture, "/ward/project/parent.yaml",
			"cordon: 1\nseccomp:\n  docker_profile: f.json\n  unknown: kill\n"
			"  deny: [{call: getpid, action: errno(EIO)}]\n");
	assert_int_equal(fixture_resolve(&program.fixture, "cordon: 1\nextends: ./parent.yaml\n"
							   "seccomp: {allow: [read, clone]}\n"),
			 0);
	assert_int_equal(policy_seccomp_compile(&program.fixture.spec.seccomp, &program.filter,
						&program.n, &program.fixture.err),
			 0);
	CHECK(&program, rows);
	program_release(&program);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#ifdef __x86_64__
		cmocka_unit_test(every_number),
#endif
		cmocka_unit_test(docker_arguments), cmocka_unit_test(docker_foreign),
		cmocka_unit_test(meaning),          cmocka_unit_test(deny_list),
		cmocka_unit_test(above_a_parent),   cmocka_unit_test(stricter_parent),
		cmocka_unit_test(below_a_child),
	};

	return cmocka_run_group_tests_name("policy/docker", tests, NULL, NULL);
}
