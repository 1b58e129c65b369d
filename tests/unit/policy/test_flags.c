/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/flags.c: the command line as the last layer, and how its mistakes are named. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "tests/lib/policy_fixture.h"

struct row {
	int kind;
	const char *text;
	const char *key;
	const char *value;
};

static const struct row value_rows[] = {
	{FLAG_SET, "limits.nproc=16", "limits.nproc", "16"},
	{FLAG_SET, "limits.ulimits={nofile: 5}", "limits.ulimits.nofile", "5"},
	{FLAG_SET, "rootfs.writable.store=tmpfs", "rootfs.writable.store", "tmpfs"},
	{FLAG_SET, "process.environment.A.B=x", "process.environment.A.B", "x"},
	{FLAG_SET, "volumes=[./a:/b]", "volumes[0]", "./a:/b"},
	{FLAG_SET, "+volumes=[./a:/b]", "volumes[1]", "./a:/b"},
	{FLAG_SET, "waive.seccomp.call:ptrace=x", "waive.seccomp.call:ptrace", "x"},
	{FLAG_ENV, "A=b=c d: [", "process.environment.A", "b=c d: ["},
	{FLAG_ENV, "A=", "process.environment.A", "\"\""},
	{FLAG_ENV, "TERM", "process.environment.TERM", "(the caller's)"},
	{FLAG_WORKING_DIR, "/x/../y", "process.working_dir", "/x/../y"},
	{FLAG_USER, "web", "process.user", "web"},
	{FLAG_HOSTNAME, "h", "process.hostname", "h"},
	{FLAG_TIMEOUT, "1m30s", "limits.wall_time", "1m30s"},
	{FLAG_LABEL, "com.x=1=2", "labels.com.x", "1=2"},
	{FLAG_LABEL, "com.x", "labels.com.x", "\"\""},
	{FLAG_ULIMIT, "nproc=3", "limits.nproc", "3"},
	{FLAG_ULIMIT, "nofile=64", "limits.ulimits.nofile", "64"},
	{FLAG_ULIMIT, "nofile=64:64", "limits.ulimits.nofile", "64"},
	{FLAG_ULIMIT, "stack=-1:-1", "limits.ulimits.stack", "unlimited"},
	{FLAG_ULIMIT, "fsize=1024", "limits.ulimits.fsize", "1024"},
	{FLAG_ULIMIT, "cpu=10", "limits.ulimits.cpu", "10s"},
	{FLAG_MEMORY, "64m", "limits.memory", "64MiB"},
	{FLAG_MEMORY, "64MB", "limits.memory", "64MiB"},
	{FLAG_MEMORY, "1.5g", "limits.memory", "1.5GiB"},
	{FLAG_MEMORY, "4096KiB", "limits.memory", "4096KiB"},
	{FLAG_MEMORY, "67108864b", "limits.memory", "67108864B"},
	{FLAG_MEMORY, "67108864", "limits.memory", "67108864"},
	{FLAG_MEMORY, "0", "limits.memory", "unlimited"},
	{FLAG_MEMORY_SWAP, "-1", "limits.swap", "unlimited"},
	{FLAG_PIDS_LIMIT, "50", "limits.pids", "50"},
	{FLAG_PIDS_LIMIT, "-1", "limits.pids", "unlimited"},
	{FLAG_PIDS_LIMIT, "0", "limits.pids", "unlimited"},
	{FLAG_CPUS, "0.5", "limits.cpus", "0.5"},
	{FLAG_CPUS, "0.000", "limits.cpus", "unlimited"},
	{FLAG_CPUSET_CPUS, "0-1,4", "limits.cpuset", "0-1,4"},
	{FLAG_CPU_SHARES, "1024", "limits.cpu_weight", "100"},
	{FLAG_CPU_SHARES, "512", "limits.cpu_weight", "50"},
	{FLAG_CPU_SHARES, "2", "limits.cpu_weight", "1"},
	{FLAG_CPU_SHARES, "262144", "limits.cpu_weight", "10000"},
	{FLAG_CPU_SHARES, "0", "limits.cpu_weight", "unlimited"},
	{FLAG_CAP_DROP, "ALL", "capabilities.drop[0]", "ALL"},
	{FLAG_CAP_DROP, "net_raw", "capabilities.drop[0]", "ALL"},
	{FLAG_CAP_DROP, "CAP_CHOWN", "capabilities.drop[0]", "ALL"},
	{FLAG_SECURITY_OPT, "apparmor=mine", "apparmor", "mine"},
	{FLAG_SECURITY_OPT, "apparmor=unconfined", "waive.apparmor",
	 "--security-opt apparmor=unconfined"},
	{FLAG_SECURITY_OPT, "no-new-privileges", "rootfs.from", "host"},
	{FLAG_SECURITY_OPT, "no-new-privileges=true", "rootfs.from", "host"},
	{FLAG_READ_ONLY, "true", "rootfs.writable.store", "none"},
	{FLAG_READ_ONLY, "false", "rootfs.writable.size", "16MiB"},
	{FLAG_TMPFS, "/run", "volumes[1]", "{type: tmpfs, target: /run, options: [noexec]}"},
	{FLAG_TMPFS, "/run:size=64m,mode=1777,nr_inodes=9,exec,nosuid,nodev,rw", "volumes[1]",
	 "{type: tmpfs, target: /run, size: 64MiB, mode: 1777, inodes: 9}"},
	{FLAG_TMPFS, "/run:exec,noexec,ro", "volumes[1]",
	 "{type: tmpfs, target: /run, read_only: true, options: [noexec]}"},
	{FLAG_NETWORK, "none", "network.mode", "none"},
	{FLAG_NETWORK, "name=web,ip=10.0.0.9,mac-address=92:d0:c6:0a:29:33", "network.ip",
	 "10.0.0.9"},
	{FLAG_NETWORK, "name=web,alias=a,alias=b", "network.aliases[1]", "b"},
	{FLAG_PUBLISH_ALL, "false", "network.publish_all", "false"},
	{FLAG_EXPOSE, "53/udp", "network.expose[0]", "53/udp"},
	{FLAG_RESTART, "on-failure:5", "restart", "on-failure:5"},
	{FLAG_STOP_SIGNAL, "SIGINT", "process.stop_signal", "SIGINT"},
	{FLAG_STOP_TIMEOUT, "2", "process.stop_grace_period", "2s"},
	{FLAG_STOP_TIMEOUT, "1m30s", "process.stop_grace_period", "1m30s"},
	{FLAG_INIT, "true", "process.init", "true"},
	{FLAG_STORAGE_OPT, "size=1g", "rootfs.writable.size", "1GiB"},
	{FLAG_STORAGE_OPT, "size=1g", "rootfs.writable.store", "auto"},
	{FLAG_STORAGE_OPT, "store=project", "rootfs.writable.store", "project"},
};

static void values(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(value_rows) / sizeof(value_rows[0]); i++) {
		struct policy_fixture fixture;

		fixture_init(&fixture);
		fixture_flag(&fixture, value_rows[i].kind, value_rows[i].text);
		if (fixture_resolve(&fixture, NULL) != 0)
			fail_msg("%s: %s", value_rows[i].text, fixture.err.text);
		if (!str_equal(fixture_value(&fixture, value_rows[i].key), value_rows[i].value))
			fail_msg("%s: '%s'", value_rows[i].text,
				 fixture_value(&fixture, value_rows[i].key));
		fixture_release(&fixture);
	}
}

struct mistake {
	int kind;
	uint32_t column;
	const char *text;
	const char *rule;
	const char *line_text;
};

static const struct mistake mistake_rows[] = {
	{FLAG_SET, 20, "limits.nproc=abc", "bad-value", "--set limits.nproc=abc"},
	{FLAG_SET, 7, "limits.nprc=1", "unknown-key", "--set limits.nprc=1"},
	{FLAG_SET, 7, "devices=[]", "not-enforced", "--set devices=[]"},
	{FLAG_SET, 15, "restart=sometimes", "bad-value", "--set restart=sometimes"},
	{FLAG_SET, 7, "limits.nproc=", "bad-value", "--set limits.nproc="},
	{FLAG_SET, 7, "limits.nproc", "bad-flag", "--set limits.nproc"},
	{FLAG_SET, 7, "=1", "bad-flag", "--set =1"},
	{FLAG_SET, 7, "extends=base", "bad-flag", "--set extends=base"},
	{FLAG_SET, 22, "limits.nproc=[1", "yaml-syntax", "--set limits.nproc=[1"},
	{FLAG_SET, 20, "limits.nproc=&a 1", "yaml-anchor", "--set limits.nproc=&a 1"},
	{FLAG_SET, 16, "volumes=[x:y]", "bad-target", "--set volumes=[x:y]"},
	{FLAG_SET, 19, "rootfs.from=dir:a\nb: c", "yaml-syntax", NULL},
	{FLAG_WAIVE, 9, "seccomp.call:ptrace", "bad-flag", "--waive seccomp.call:ptrace"},
	{FLAG_WAIVE, 9, "seccomp.call:ptrace=", "no-reason", "--waive seccomp.call:ptrace="},
	{FLAG_WAIVE, 9, "seccomp.cll:ptrace=x", "unknown-waiver", NULL},
	{FLAG_RO, 6, "", "bad-flag", "--ro "},
	{FLAG_RO, 6, "/proc", "bad-target", "--ro /proc"},
	{FLAG_RW, 6, "/", "bad-target", "--rw /"},
	{FLAG_ENV, 4, "=x", "bad-flag", "-e =x"},
	{FLAG_WORKING_DIR, 4, "x", "bad-value", "-w x"},
	{FLAG_USER, 4, "nobody", "no-user", "-u nobody"},
	{FLAG_HOSTNAME, 12, "a b", "bad-value", "--hostname a b"},
	{FLAG_TIMEOUT, 11, "5", "bad-value", "--timeout 5"},
	{FLAG_LABEL, 9, "=x", "bad-flag", "--label =x"},
	{FLAG_LABEL, 9, "a b=x", "bad-value", "--label a b=x"},
	{FLAG_ENV_FILE, 12, "", "bad-flag", "--env-file "},
	{FLAG_ENV_FILE, 12, "none", "bad-flag", "--env-file none"},
	{FLAG_LABEL_FILE, 14, "none", "bad-flag", "--label-file none"},
	{FLAG_ULIMIT, 10, "nofile", "bad-flag", "--ulimit nofile"},
	{FLAG_ULIMIT, 10, "nofile=", "bad-flag", "--ulimit nofile="},
	{FLAG_ULIMIT, 10, "=1", "bad-flag", "--ulimit =1"},
	{FLAG_ULIMIT, 10, "nofile=1:2", "bad-flag", "--ulimit nofile=1:2"},
	{FLAG_ULIMIT, 10, "nofile=1:", "bad-flag", "--ulimit nofile=1:"},
	{FLAG_ULIMIT, 10, "nofile=12:1", "bad-flag", "--ulimit nofile=12:1"},
	{FLAG_ULIMIT, 10, "nofle=1", "bad-flag", "--ulimit nofle=1"},
	{FLAG_ULIMIT, 10, "rss=1", "not-enforced", "--ulimit rss=1"},
	{FLAG_ULIMIT, 10, "nofile=x", "bad-value", "--ulimit nofile=x"},
	{FLAG_ULIMIT, 10, "nproc=0", "bad-value", "--ulimit nproc=0"},
	{FLAG_MEMORY, 10, "64x", "bad-value", "--memory 64x"},
	{FLAG_MEMORY, 10, "64bb", "bad-value", "--memory 64bb"},
	{FLAG_MEMORY, 10, "m", "bad-value", "--memory m"},
	{FLAG_MEMORY, 10, "-1", "bad-value", "--memory -1"},
	{FLAG_MEMORY, 10, "1k", "bad-value", "--memory 1k"},
	{FLAG_MEMORY_SWAP, 15, "128m", "bad-flag", "--memory-swap 128m"},
	{FLAG_MEMORY_SWAP, 15, "0", "bad-flag", "--memory-swap 0"},
	{FLAG_MEMORY_SWAP, 15, "many", "bad-flag", "--memory-swap many"},
	{FLAG_PIDS_LIMIT, 14, "-2", "bad-value", "--pids-limit -2"},
	{FLAG_CPUS, 8, "-1", "bad-value", "--cpus -1"},
	{FLAG_CPUSET_CPUS, 15, "a", "bad-value", "--cpuset-cpus a"},
	{FLAG_CPU_SHARES, 14, "1", "bad-flag", "--cpu-shares 1"},
	{FLAG_CPU_SHARES, 14, "262145", "bad-flag", "--cpu-shares 262145"},
	{FLAG_CAP_ADD, 11, "ALL", "not-enforced", "--cap-add ALL"},
	{FLAG_CAP_ADD, 11, "net_admin", "not-enforced", "--cap-add net_admin"},
	{FLAG_CAP_ADD, 11, "net_admn", "bad-value", "--cap-add net_admn"},
	{FLAG_CAP_DROP, 12, "nothing", "bad-value", "--cap-drop nothing"},
	{FLAG_SECURITY_OPT, 16, "seccomp=unconfined", "not-enforced",
	 "--security-opt seccomp=unconfined"},
	{FLAG_SECURITY_OPT, 16, "seccomp=builtin", "bad-flag", "--security-opt seccomp=builtin"},
	{FLAG_SECURITY_OPT, 16, "seccomp=", "bad-flag", "--security-opt seccomp="},
	{FLAG_SECURITY_OPT, 16, "seccomp", "bad-flag", "--security-opt seccomp"},
	{FLAG_SECURITY_OPT, 16, "seccomp=gone.json", "no-profile",
	 "--security-opt seccomp=gone.json"},
	{FLAG_SECURITY_OPT, 16, "no-new-privileges=false", "bad-flag", NULL},
	{FLAG_SECURITY_OPT, 16, "no-new-privileges=", "bad-flag", NULL},
	{FLAG_SECURITY_OPT, 16, "label=disable", "not-enforced", NULL},
	{FLAG_SECURITY_OPT, 16, "systempaths=unconfined", "not-enforced", NULL},
	{FLAG_SECURITY_OPT, 16, "aparmor=x", "bad-flag", NULL},
	{FLAG_TMPFS, 9, "run", "bad-target", "--tmpfs run"},
	{FLAG_TMPFS, 9, "/", "bad-target", "--tmpfs /"},
	{FLAG_TMPFS, 9, "/x:suid", "bad-flag", "--tmpfs /x:suid"},
	{FLAG_TMPFS, 9, "/x:dev", "bad-flag", "--tmpfs /x:dev"},
	{FLAG_TMPFS, 9, "/x:uid=5", "bad-flag", "--tmpfs /x:uid=5"},
	{FLAG_TMPFS, 9, "/x:size=50%", "bad-value", "--tmpfs /x:size=50%"},
	{FLAG_TMPFS, 9, "/x:size=0", "bad-value", "--tmpfs /x:size=0"},
	{FLAG_TMPFS, 9, "/x:mode=9", "bad-value", "--tmpfs /x:mode=9"},
	{FLAG_TMPFS, 9, "/x:,noexec", "bad-flag", "--tmpfs /x:,noexec"},
	{FLAG_NETWORK, 11, "host", "not-waived", "--network host"},
	{FLAG_NETWORK, 11, "name=a,speed=9", "bad-flag", "--network name=a,speed=9"},
	{FLAG_NETWORK, 11, "alias=a", "bad-flag", "--network alias=a"},
	{FLAG_NETWORK_ALIAS, 17, "a", "impossible", "--network-alias a"},
	{FLAG_LINK, 8, "db:cache", "impossible", "--link db:cache"},
	{FLAG_IP, 6, "10.0.0.9", "impossible", "--ip 10.0.0.9"},
	{FLAG_PUBLISH_ALL, 1, "true", "impossible", "-P"},
	{FLAG_EXPOSE, 10, "80/sctp", "bad-value", "--expose 80/sctp"},
	{FLAG_EXPOSE, 10, "8080:80", "bad-value", "--expose 8080:80"},
	{FLAG_RESTART, 11, "often", "bad-value", "--restart often"},
	{FLAG_STOP_SIGNAL, 15, "TREM", "bad-value", "--stop-signal TREM"},
	{FLAG_STOP_TIMEOUT, 16, "-1", "bad-flag", "--stop-timeout -1"},
	{FLAG_STOP_TIMEOUT, 16, "", "bad-value", "--stop-timeout "},
	{FLAG_INIT, 8, "false", "not-enforced", "--init=false"},
	{FLAG_STORAGE_OPT, 15, "dm.basesize=1g", "bad-flag", "--storage-opt dm.basesize=1g"},
	{FLAG_STORAGE_OPT, 15, "size=", "bad-flag", "--storage-opt size="},
	{FLAG_STORAGE_OPT, 15, "size=much", "bad-value", "--storage-opt size=much"},
};

static void mistakes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(mistake_rows) / sizeof(mistake_rows[0]); i++) {
		struct policy_fixture fixture;
		const struct policy_problem *problem;

		fixture_init(&fixture);
		fixture_flag(&fixture, mistake_rows[i].kind, mistake_rows[i].text);
		if (fixture_resolve(&fixture, NULL) != -EINVAL)
			fail_msg("accepted: %s", mistake_rows[i].text);
		problem = fixture_problem(&fixture, mistake_rows[i].rule);
		if (problem == NULL) {
			fail_msg("%s: %s", mistake_rows[i].text, fixture.err.text);
			return;
		}
		assert_string_equal(problem->origin.file, "command line");
		assert_int_equal(problem->origin.line, 0);
		if (mistake_rows[i].line_text != NULL) {
			if (problem->origin.column != mistake_rows[i].column)
				fail_msg("%s: column %u", mistake_rows[i].text,
					 problem->origin.column);
			assert_string_equal(problem->line_text, mistake_rows[i].line_text);
		}
		fixture_release(&fixture);
	}
}

static void last_one_wins(void **state)
{
	struct policy_fixture fixture;

	(void)state;
	fixture_init(&fixture);
	fixture_flag(&fixture, FLAG_SET, "limits.nproc=16");
	fixture_flag(&fixture, FLAG_SET, "limits.nproc=17");
	fixture_flag(&fixture, FLAG_ENV, "A=1");
	fixture_flag(&fixture, FLAG_ENV, "B=2");
	assert_int_equal(fixture_resolve(&fixture,
					 "cordon: 1\nextends: default\nlimits: {nproc: 3}\n"),
			 0);
	assert_int_equal(fixture.spec.limits.nproc, 17);
	assert_string_equal(fixture.spec.limits.nproc_origin.file, "command line");
	assert_int_equal(fixture.spec.limits.nproc_origin.line, 0);
	assert_string_equal(fixture_value(&fixture, "process.environment.A"), "1");
	assert_string_equal(fixture_value(&fixture, "process.environment.B"), "2");
	fixture_release(&fixture);
}

static void memory_and_swap(void **state)
{
	static const struct {
		const char *memory, *total;
		const char *swap; /* NULL: refused */
	} rows[] = {
		{"64m", "64m", "0"},  {"64m", "128m", "67108864"}, {"1g", "1.5g", "536870912"},
		{"64m", "63m", NULL}, {"0", "64m", NULL},          {"64m", "-1", "unlimited"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (int order = 0; order < 2; order++) {
			struct policy_fixture fixture;
			int r;

			fixture_init(&fixture);
			if (order == 0)
				fixture_flag(&fixture, FLAG_MEMORY, rows[i].memory);
			fixture_flag(&fixture, FLAG_MEMORY_SWAP, rows[i].total);
			if (order == 1)
				fixture_flag(&fixture, FLAG_MEMORY, rows[i].memory);
			r = fixture_resolve(&fixture, NULL);
			if ((r == 0) != (rows[i].swap != NULL))
				fail_msg("%s %s: %s", rows[i].memory, rows[i].total,
					 fixture.err.text);
			if (r == 0)
				assert_string_equal(fixture_value(&fixture, "limits.swap"),
						    rows[i].swap);
			else
				assert_non_null(fixture_problem(&fixture, "bad-flag"));
			fixture_release(&fixture);
		}
}

static void as_typed(void **state)
{
	struct policy_fixture fixture;

	(void)state;
	fixture_init(&fixture);
	fixture_flag(&fixture, FLAG_MEMORY, "64x");
	fixture.flags[0].name = "-m";
	assert_int_equal(fixture_resolve(&fixture, NULL), -EINVAL);
	assert_string_equal(fixture.problems.list[0].line_text, "-m 64x");
	assert_int_equal(fixture.problems.list[0].origin.column, 4);
	fixture_release(&fixture);
}

/* Docker's form of a file, and that a flag counts more than it, wherever it stands. */
static void files(void **state)
{
	struct policy_fixture fixture;

	(void)state;
	fixture_init(&fixture);
	fixture_profile(&fixture, "/ward/project/env",
			"\xef\xbb\xbf# comment\n\n  \t\nA=1\n B='x y' # z \nC=\r\nTERM\nNOT_THERE\n"
			"D.E=a=b\nA=2\nF=6");
	fixture_profile(&fixture, "/ward/labels", "a.b=c d\nempty\n");
	fixture_flag(&fixture, FLAG_ENV, "F=flag");
	fixture_flag(&fixture, FLAG_ENV_FILE, "env");
	fixture_flag(&fixture, FLAG_LABEL_FILE, "../labels");
	if (fixture_resolve(&fixture, NULL) != 0)
		fail_msg("%s", fixture.err.text);
	assert_string_equal(fixture_value(&fixture, "process.environment.A"), "2");
	assert_string_equal(fixture_value(&fixture, "process.environment.B"), "'x y' # z ");
	assert_string_equal(fixture_value(&fixture, "process.environment.C"), "\"\"");
	assert_string_equal(fixture_value(&fixture, "process.environment.TERM"), "(the caller's)");
	assert_string_equal(fixture_value(&fixture, "process.environment.D.E"), "a=b");
	assert_string_equal(fixture_value(&fixture, "process.environment.F"), "flag");
	assert_int_equal(fixture.spec.n_labels, 2);
	assert_string_equal(fixture.spec.labels[0].value, "c d");
	assert_string_equal(fixture.spec.labels[1].name, "empty");
	assert_string_equal(fixture.spec.labels[1].value, "");
	for (size_t i = 0; fixture.spec.process.envp[i] != NULL; i++)
		assert_false(str_has_prefix(fixture.spec.process.envp[i], "NOT_THERE"));
	fixture_release(&fixture);
}

static void lines_of_files(void **state)
{
	static const struct {
		const char *text;
		uint32_t line, column;
		const char *line_text;
	} rows[] = {
		{"A=1\n  =x\n", 2, 3, "  =x"},
		{"A B=x\n", 1, 1, "A B=x"},
		{"\nA =x", 2, 1, "A =x"},
		{"B=1\n\tA\xff=x\n", 2, 2, NULL},
		{"export A=1\r\n", 1, 1, "export A=1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_fixture fixture;
		const struct policy_problem *problem;

		fixture_init(&fixture);
		fixture_profile(&fixture, "/ward/project/env", rows[i].text);
		fixture_flag(&fixture, FLAG_ENV_FILE, "env");
		if (fixture_resolve(&fixture, NULL) != -EINVAL)
			fail_msg("accepted: %s", rows[i].text);
		assert_int_equal(fixture.problems.n, 1);
		problem = &fixture.problems.list[0];
		assert_string_equal(problem->rule, "bad-line");
		assert_string_equal(problem->origin.file, "env");
		assert_int_equal(problem->origin.line, rows[i].line);
		assert_int_equal(problem->origin.column, rows[i].column);
		if (rows[i].line_text != NULL)
			assert_string_equal(problem->line_text, rows[i].line_text);
		fixture_release(&fixture);
	}
}

static void long_files(void **state)
{
	static char text[4098 * 8];
	struct policy_fixture fixture;

	(void)state;
	for (size_t i = 0, len = 0; i < 4097; i++)
		len += str_format(text + len, sizeof(text) - len, "A%zu\n", i);
	fixture_init(&fixture);
	fixture_profile(&fixture, "/ward/project/env", text);
	fixture_flag(&fixture, FLAG_ENV_FILE, "env");
	assert_int_equal(fixture_resolve(&fixture, NULL), -EINVAL);
	assert_non_null(strstr(fixture.err.text, "more than 4096 names"));
	fixture_release(&fixture);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),         cmocka_unit_test(mistakes),
		cmocka_unit_test(last_one_wins),  cmocka_unit_test(memory_and_swap),
		cmocka_unit_test(as_typed),       cmocka_unit_test(files),
		cmocka_unit_test(lines_of_files), cmocka_unit_test(long_files),
	};

	return cmocka_run_group_tests_name("policy/flags", tests, NULL, NULL);
}
