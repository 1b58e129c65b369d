/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/keys.c and keys_check.c: mistakes with their place and rule; what is not enforced. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "policy/keys.h"
#include "tests/lib/policy_fixture.h"

struct row {
	const char *text; /* behind "cordon: 1\nextends: default\n" */
	uint32_t line;
	uint32_t column;
	const char *rule;
	const char *hint; /* what the hint contains, or NULL */
};

static void check_row(const struct row *row)
{
	struct policy_fixture fixture;
	char text[1024];

	fixture_init(&fixture);
	str_format(text, sizeof(text), "cordon: 1\nextends: default\n%s\n", row->text);
	if (fixture_resolve(&fixture, text) != -EINVAL)
		fail_msg("accepted: %s", row->text);
	if (fixture.problems.n != 1)
		fail_msg("%zu problems, first '%s': %s", fixture.problems.n, fixture.err.text,
			 row->text);
	if (!str_equal(fixture.problems.list[0].rule, row->rule))
		fail_msg("rule %s: %s", fixture.problems.list[0].rule, row->text);
	if (fixture.problems.list[0].origin.line != row->line ||
	    fixture.problems.list[0].origin.column != row->column)
		fail_msg("at %u:%u: %s", fixture.problems.list[0].origin.line,
			 fixture.problems.list[0].origin.column, row->text);
	if (row->hint != NULL && strstr(fixture.problems.list[0].hint, row->hint) == NULL)
		fail_msg("hint '%s': %s", fixture.problems.list[0].hint, row->text);
	assert_int_equal(fixture.err.kind, ERR_POLICY);
	fixture_release(&fixture);
}

static const struct row mistake_rows[] = {
	{"descripton: x", 3, 1, "unknown-key", "'description'"},
	{"limits: {memroy: 1}", 3, 10, "unknown-key", "'memory'"},
	{"nproc: 1", 3, 1, "unknown-key", "'limits.nproc'"},
	{"volumes[]: x", 3, 1, "unknown-key", NULL},
	{"process.user: x", 3, 1, "unknown-key", NULL},
	{"limits: {nproc: 1.5}", 3, 17, "bad-value", NULL},
	{"limits: {nproc: -1}", 3, 17, "bad-value", NULL},
	{"limits: {nproc: 0}", 3, 17, "bad-value", NULL},
	{"limits: {nproc: 99999999999999999999}", 3, 17, "bad-value", NULL},
	{"limits: {nproc: }", 3, 10, "no-value", NULL},
	{"limits: {nproc: []}", 3, 17, "bad-type", NULL},
	{"limits: {nproc: {a: 1}}", 3, 17, "bad-type", NULL},
	{"limits: {wall_time: 5}", 3, 21, "bad-value", NULL},
	{"limits: {wall_time: 0}", 3, 21, "bad-value", NULL},
	{"limits: {ulimits: {fsize: 64Mib}}", 3, 27, "bad-value", NULL},
	{"limits: {ulimits: {cpu: 1500ms}}", 3, 25, "bad-value", NULL},
	{"limits: {ulimits: {nice: 1}}", 3, 20, "unknown-key", NULL},
	{"limits: 5", 3, 9, "bad-type", NULL},
	{"limits:", 3, 1, "no-value", NULL},
	{"volumes: x", 3, 10, "bad-type", NULL},
	{"process: [a]", 3, 10, "bad-type", NULL},
	{"process: {hostname: -x}", 3, 21, "bad-value", NULL},
	{"process: {hostname: a..b}", 3, 21, "bad-value", NULL},
	{"process: {stop_signal: TREM}", 3, 24, "bad-value", NULL},
	{"process: {stop_signal: 0}", 3, 24, "bad-value", NULL},
	{"process: {stop_signal: 65}", 3, 24, "bad-value", NULL},
	{"process: {stop_signal: RTMIN-1}", 3, 24, "bad-value", NULL},
	{"process: {stop_signal: RTMIN+31}", 3, 24, "bad-value", NULL},
	{"process: {stop_signal: RTMAX+1}", 3, 24, "bad-value", NULL},
	{"process: {stop_signal: RTMIN+}", 3, 24, "bad-value", NULL},
	{"process: {stop_grace_period: 5}", 3, 30, "bad-value", NULL},
	{"restart: sometimes", 3, 10, "bad-value", NULL},
	{"restart: 'on-failure:'", 3, 10, "bad-value", NULL},
	{"restart: on-failure:-1", 3, 10, "bad-value", NULL},
	{"restart: always:3", 3, 10, "bad-value", NULL},
	{"restart: ''", 3, 10, "bad-value", NULL},
	{"restart:", 3, 1, "no-value", NULL},
	{"labels: [a=b]", 3, 9, "bad-type", NULL},
	{"labels: {'a b': c}", 3, 10, "bad-value", NULL},
	{"labels: {'a=b': c}", 3, 10, "bad-value", NULL},
	{"labels: {'': c}", 3, 10, "bad-value", NULL},
	{"labels: {a: }", 3, 10, "no-value", NULL},
	{"labels: {a: \"b\\nc\"}", 3, 13, "bad-value", NULL},
	{"process: {working_dir: box}", 3, 24, "bad-value", NULL},
	{"process: {user: 'a b'}", 3, 17, "no-user", NULL},
	{"process: {user: ':5'}", 3, 17, "bad-value", NULL},
	{"process: {user: '5:'}", 3, 17, "bad-value", NULL},
	{"process: {user: 70000:1}", 3, 17, "bad-value", NULL},
	{"process: {user: 1000:nogroup}", 3, 17, "no-group", NULL},
	{"process: {environment: {'A=B': x}}", 3, 25, "bad-value", NULL},
	{"process: {environment: {A: [x]}}", 3, 28, "bad-type", NULL},
	{"+process: {hostname: a}", 3, 1, "append", "without '+'"},
	{"rootfs: {from: hots}", 3, 16, "bad-value", NULL},
	{"rootfs: {from: dir:/}", 3, 16, "bad-path", NULL},
	{"rootfs: {writable: yes}", 3, 20, "bad-value", NULL},
	{"rootfs: {writable: {store: tmpfs, size: 0}}", 3, 41, "bad-value", NULL},
	{"waive: {\"seccomp.cal:ptrace\": x}", 3, 9, "unknown-waiver", "'seccomp.call:'"},
	{"waive: {\"apparmour\": x}", 3, 9, "unknown-waiver", "'apparmor'"},
	{"waive: {\"seccomp.call:\": x}", 3, 9, "unknown-waiver", NULL},
	{"waive: {\"seccomp.call:ptrac\": x}", 3, 9, "unknown-call", NULL},
	{"waive: {\"seccomp.call:ptrace\": \"\"}", 3, 32, "no-reason", NULL},
	{"waive: {\"seccomp.call:ptrace\": \" \"}", 3, 32, "no-reason", NULL},
	{"waive: {\"seccomp.call:ptrace\": }", 3, 9, "no-value", NULL},
	{"waive: {\"host_root_write:x\": y}", 3, 9, "bad-path", NULL},
};

static void mistakes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(mistake_rows) / sizeof(mistake_rows[0]); i++)
		check_row(&mistake_rows[i]);
}

static void egress_rules(void **state)
{
	static const struct row rows[] = {
		{"network: {egress: []}", 3, 19, "bad-type", NULL},
		{"network: {egress: {allow: [10.0.0.9]}}", 3, 19, "missing-key", NULL},
		{"network: {egress: {default: none}}", 3, 29, "bad-value", NULL},
		{"network: {mode: container:x, egress: {default: deny}}", 3, 48, "impossible",
		 NULL},
		{"network: {egress: {default: deny, allow: [10.0.0.9/8]}}", 3, 43, "bad-value",
		 NULL},
		{"network: {egress: {default: deny, allow: ['10.0.0.0/33']}}", 3, 43, "bad-value",
		 NULL},
		{"network: {egress: {default: deny, allow: ['10.0.0.9:0']}}", 3, 43, "bad-value",
		 NULL},
		{"network: {egress: {default: deny, allow: ['10.0.0.9:65536']}}", 3, 43,
		 "bad-value", NULL},
		{"network: {egress: {default: deny, allow: ['10.0.0.9:9-8']}}", 3, 43, "bad-value",
		 NULL},
		{"network: {egress: {default: deny, allow: ['10.0.0.9:80/sctp']}}", 3, 43,
		 "bad-value", NULL},
		{"network: {egress: {default: deny, allow: ['fd00::1']}}", 3, 43, "bad-value",
		 NULL},
		{"network: {egress: {default: deny, allow: ['[fd00::1']}}", 3, 43, "bad-value",
		 NULL},
		{"network: {egress: {default: deny, allow: ['[fd00::1]443']}}", 3, 43, "bad-value",
		 NULL},
		{"network: {egress: {default: deny, deny: ['10.0.0.9:']}}", 3, 42, "bad-value",
		 NULL},
		{"network: {egress: {default: deny, deny: ['']}}", 3, 42, "bad-value", NULL},
		/* What is often meant. */
		{"network: {egress: {default: deny, allow: [db]}}", 3, 43, "impossible",
		 "network.ip there"},
		{"network: {egress: {default: deny, allow: [db.local]}}", 3, 43, "impossible",
		 "name the address"},
		{"network: {egress: {default: deny, allow: ['https://pypi.org']}}", 3, 43,
		 "bad-value", "no scheme and no path"},
		{"network: {egress: {default: deny, allow: ['fd00::1']}}", 3, 43, "bad-value",
		 "in brackets"},
		{"network: {egress: {default: deny, allow: ['10.0.0.9/8']}}", 3, 43, "bad-value",
		 "bits behind"},
		{"network: {egress: {default: deny, allow: ['*']}}", 3, 43, "bad-value",
		 "network.egress.default"},
		{"network: {egress: {default: deny, allow: ['a.org:https']}}", 3, 43, "bad-value",
		 "numbers"},
		{"network: {egress: {default: deny, allow: [10.0.0.9]}}", 3, 29, "impossible",
		 "network.mode: bridge"},
		{"network: {egress: {default: deny, allow: [a.org]}}", 3, 29, "impossible",
		 "cordon network create web"},
		{"network: {mode: a, egress: {default: allow, allow: [a.org]}}", 3, 28,
		 "impossible", "default: deny"},
		{"network: {egress: {default: deny, allow: [*.a.org]}}", 3, 44, "yaml-syntax",
		 "stands in quotes"},
		{"network: {egress: {default: deny, allow: [*a]}}", 3, 43, "yaml-anchor",
		 "stands in quotes"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(&rows[i]);
}

static void not_enforced(void **state)
{
	static const struct row rows[] = {
		{"devices: []", 3, 1, "not-enforced", NULL},
		{"network: {egress: {rate: 10}}", 3, 26, "bad-value", NULL},
		{"network: {egress: {rate: 7999bit}}", 3, 26, "bad-value", NULL},
		{"network: {egress: {rate: 101gbit}}", 3, 26, "bad-value", NULL},
		{"network: {egress: {burst: 4KiB}}", 3, 27, "missing-key", NULL},
		{"network: {egress: {rate: 8kbit, burst: 2000}}", 3, 40, "bad-value", NULL},
		{"network: {egress: {rate: 8kbit, burst: 60001}}", 3, 40, "bad-value", NULL},
		{"network: {mode: container:x, ingress: {rate: 1mbit}}", 3, 46, "impossible", NULL},
		{"seccomp: {architectures: [native, x32]}", 3, 35, "not-enforced", NULL},
		{"seccomp: {default: notify}", 3, 20, "not-enforced", NULL},
		{"capabilities: {add: [NET_ADMIN]}", 3, 21, "not-enforced", NULL},
		{"capabilities: {drop: [NET_ADMIN]}", 3, 22, "not-enforced", NULL},
		{"network: {mode: 'container:'}", 3, 17, "bad-value", NULL},
		{"network: {mode: .a}", 3, 17, "bad-value", NULL},
		{"network: {mode: a/b}", 3, 17, "bad-value", NULL},
		{"network: {mode: host}", 3, 17, "not-waived", "network.host=REASON"},
		{"network: {ip: 10.0.0.9}", 3, 15, "impossible", NULL},
		{"network: {mode: none, aliases: [a]}", 3, 32, "impossible", NULL},
		{"network: {mode: a, ip: 10.0.0}", 3, 24, "bad-value", NULL},
		{"network: {mode: a, ip: fd00::9}", 3, 24, "bad-value", NULL},
		{"network: {mode: a, ip6: 10.0.0.9}", 3, 25, "bad-value", NULL},
		{"network: {mode: a, mac: '92:d0:c6:0a:29'}", 3, 25, "bad-value", NULL},
		{"network: {mode: a, mac: '92:d0:c6:0a:29:3g'}", 3, 25, "bad-value", NULL},
		{"network: {mode: a, mac: '01:d0:c6:0a:29:33'}", 3, 25, "bad-value", NULL},
		{"network: {mode: a, mac: '02:c0:ac:11:00:02'}", 3, 25, "bad-value", NULL},
		{"network: {mode: a, mac: '00:00:00:00:00:00'}", 3, 25, "bad-value", NULL},
		{"network: {mode: a, aliases: [a b]}", 3, 30, "bad-value", NULL},
		{"network: {mode: a, networks: [a]}", 3, 31, "twice", NULL},
		{"network: {hosts: ['a:10.0.0.9']}", 3, 18, "impossible", NULL},
		{"network: {mode: a, hosts: [a]}", 3, 28, "bad-value", NULL},
		{"network: {mode: a, hosts: ['a b:10.0.0.9']}", 3, 28, "bad-value", NULL},
		{"network: {mode: a, hosts: ['a:10.0.0']}", 3, 28, "bad-value", NULL},
		{"network: {mode: a, dns: [example.org]}", 3, 26, "bad-value", NULL},
		{"network: {mode: a, dns_search: [\"a b\"]}", 3, 33, "bad-value", NULL},
		{"network: {mode: a, dns_options: [\"ndots:2\\nnameserver 192.0.2.1\"]}", 3, 34,
		 "bad-value", NULL},
		{"network: {mode: a, networks: [host]}", 3, 31, "impossible", NULL},
		{"network: {mode: container:x, networks: [a]}", 3, 41, "impossible", NULL},
		{"network: {networks: [{ip: 10.0.0.9}]}", 3, 22, "missing-key", NULL},
		{"network: {networks: [a, b, c, d, e, f, g, h, i]}", 3, 46, "too-many", NULL},
		{"volumes: [{type: image, source: a, target: /b}]", 3, 18, "not-enforced", NULL},
		{"process: {init: false}", 3, 17, "not-enforced", NULL},
		{"process: {supplementary_groups: [a]}", 3, 33, "bad-type", NULL},
		{"process: {supplementary_groups: keep}", 3, 33, "not-enforced", NULL},
		{"namespaces: {share: [net]}", 3, 21, "not-enforced", NULL},
		{"waive: {\"seccomp.off\": x}", 3, 9, "not-enforced", NULL},
		{"waive: {\"capability:NET_ADMIN\": x}", 3, 9, "not-enforced", NULL},
		{"waive: {namespace.net: x}", 3, 9, "not-enforced", NULL},
		{"waive: {nested_userns: x}", 3, 9, "not-enforced", NULL},
		{"waive: {\"mask:/proc/kcore\": x}", 3, 9, "not-enforced", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(&rows[i]);
}

static void refuses_ports(void **state)
{
	static const struct row rows[] = {
		{"network: {publish: ['80']}", 3, 21, "impossible", NULL},
		{"network: {mode: a, publish: ['0']}", 3, 30, "bad-value", NULL},
		{"network: {mode: a, publish: ['65536']}", 3, 30, "bad-value", NULL},
		{"network: {mode: a, publish: ['80/sctp']}", 3, 30, "bad-value", NULL},
		{"network: {mode: a, publish: [':80']}", 3, 30, "bad-value", NULL},
		{"network: {mode: a, publish: ['80:81-82']}", 3, 30, "bad-value", NULL},
		{"network: {mode: a, publish: ['82-81']}", 3, 30, "bad-value", NULL},
		{"network: {mode: a, publish: ['x:80:80']}", 3, 30, "bad-value", NULL},
		{"network: {mode: a, publish: ['[::1:80:80']}", 3, 30, "bad-value", NULL},
		{"network: {mode: a, publish: ['1000-1099']}", 3, 30, "bad-value", NULL},
		{"network: {mode: a, publish: ['1000-1063', '80']}", 3, 43, "too-many", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(&rows[i]);
}

/* Forms that ask for nothing that this build lacks. */
static void accepted(void **state)
{
	static const char *const texts[] = {
		"process: {init: true, supplementary_groups: none}",
		"capabilities: {drop: [ALL], add: []}",
		"namespaces: {share: []}",
		"network: {mode: none}",
		"network: {mode: bridge}",
		"network: {mode: my_net.1}",
		"network: {mode: container:db}",
		"network: {mode: host}\nwaive: {network.host: a reason}",
		"network: {mode: none, egress: {default: deny, allow: [a.org, 10.0.0.9]}}",
		"network: {egress: {default: deny}}",
		"network: {mode: a, ip: 10.0.0.9, ip6: 'fd00::9', mac: '92:D0:c6:0a:29:33'}",
		"network: {mode: a, aliases: [b, c.d]}",
		"network: {networks: [a], hosts: ['a:10.0.0.9', 'b:host-gateway', 'c:fd00::9']}",
		"network: {networks: [a], dns: [192.0.2.53], dns_search: [example.org, .]}",
		"network: {networks: [a], dns_options: ['ndots:2']}",
		"network: {networks: [a, {name: b, ip: 10.0.0.9, aliases: [x]}]}",
		"rootfs: {writable: none}",
		"rootfs: {writable: {store: none}}",
		"rootfs: {writable: auto}",
		"rootfs: {writable: {store: image, size: 64MiB, inodes: 4096}}",
		"rootfs: {writable: {store: project}}",
		"rootfs: {from: empty}",
		"limits: {nproc: unlimited, wall_time: unlimited, ulimits: {fsize: unlimited}}",
		"seccomp: {architectures: [native]}",
		"volumes: []",
		"when_possible: {}",
		"process: {}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct policy_fixture fixture;
		char text[256];

		fixture_init(&fixture);
		str_format(text, sizeof(text), "cordon: 1\nextends: default\n%s\n", texts[i]);
		if (fixture_resolve(&fixture, text) != 0)
			fail_msg("%s: %s", texts[i], fixture.err.text);
		assert_int_equal(fixture.problems.n, 0);
		fixture_release(&fixture);
	}
}

static void all_mistakes_at_once(void **state)
{
	struct policy_fixture fixture;
	static const uint32_t lines[] = {2, 4, 5, 6};

	(void)state;
	fixture_init(&fixture);
	assert_int_equal(fixture_resolve(&fixture, "cordon: 1\nextends: nobody\nlimits:\n"
						   "  nproc: x\n  memory: x\nfoo: 1\n"),
			 -EINVAL);
	assert_int_equal(fixture.problems.n, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(fixture.problems.list[i].origin.line, lines[i]);
	assert_string_equal(fixture.problems.list[1].line_text, "  nproc: x");
	assert_string_equal(
		fixture.err.text,
		"/ward/project/p.yaml:2:10: profile 'nobody': No such file or directory");
	fixture_release(&fixture);
}

/* More mistakes than are kept are counted. */
static void many_mistakes(void **state)
{
	struct policy_fixture fixture;
	static char text[8192];
	size_t len = str_format(text, sizeof(text), "cordon: 1\nextends: default\n");

	(void)state;
	for (unsigned i = 0; i < POLICY_PROBLEMS_MAX + 10; i++)
		len += str_format(text + len, sizeof(text) - len, "zzzzzz%u: 1\n", i);
	fixture_init(&fixture);
	assert_int_equal(fixture_resolve(&fixture, text), -EINVAL);
	assert_int_equal(fixture.problems.n, POLICY_PROBLEMS_MAX);
	assert_int_equal(fixture.problems.n_dropped, 10);
	fixture_release(&fixture);
}

/* Every row of the table hangs below another one, and says what it is. */
static void table_is_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < policy_n_keys; i++) {
		const struct policy_key *key = &policy_keys[i];
		char parent[128];
		char *cut;

		assert_ptr_equal(keys_find(key->path), key);
		assert_true(key->doc != NULL && key->doc[0] != '\0');
		assert_true((key->type == KEY_WORD) <= (key->words != NULL));
		str_format(parent, sizeof(parent), "%s", key->path);
		cut = strrchr(parent, '.');
		if (parent[strlen(parent) - 1] == ']')
			cut = strrchr(parent, '[');
		if (cut == NULL)
			continue;
		*cut = '\0';
		assert_non_null(keys_find(parent));
	}
}

/* What the listings and the documents say of a row. */
static void rows_as_words(void **state)
{
	static const struct {
		const char *path, *type, *later;
	} rows[] = {
		{"limits.nproc", "number | unlimited", ""},
		{"limits.ulimits.core", "size | unlimited", ""},
		{"process.environment", "names", ""},
		{"secrets[]", "text | map", ""},
		{"cordon", "1", ""},
	};
	static const struct policy_key own[] = {
		{"a", KEY_TEXT_OR_MAP, 0, "x|y", "z", "a", NULL, 0},
		{"b", KEY_WORD, 0, "x|y", "z|w", "b", NULL, 0},
		{"c", KEY_WORD, 0, "x", "*", "c", NULL, 0},
		{"d", KEY_ANY, KEY_LATER, NULL, NULL, "d", NULL, 0},
		{"e", KEY_LIST, KEY_ONLY_EMPTY, NULL, NULL, "e", NULL, 0},
	};
	static const char *const own_types[] = {"x | y | map", "x | y", "x", "-", "list"};
	static const char *const own_later[] = {"not yet: z", "not yet: z, w",
						"not yet: anything else", "not enforced yet",
						"not yet: anything in it"};
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		keys_type_text(keys_find(rows[i].path), text, sizeof(text));
		assert_string_equal(text, rows[i].type);
		keys_later_text(keys_find(rows[i].path), text, sizeof(text));
		assert_string_equal(text, rows[i].later);
	}
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		assert_int_equal(keys_type_text(&own[i], text, sizeof(text)), strlen(own_types[i]));
		assert_string_equal(text, own_types[i]);
		assert_int_equal(keys_later_text(&own[i], text, sizeof(text)),
				 strlen(own_later[i]));
		assert_string_equal(text, own_later[i]);
	}
	assert_true(keys_is_child(keys_find("limits.nproc"), "limits"));
	assert_true(keys_is_child(keys_find("volumes[].type"), "volumes[]"));
	assert_false(keys_is_child(keys_find("limits.ulimits.core"), "limits"));
	assert_false(keys_is_child(keys_find("volumes[]"), ""));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes),      cmocka_unit_test(not_enforced),
		cmocka_unit_test(egress_rules),  cmocka_unit_test(refuses_ports),
		cmocka_unit_test(accepted),      cmocka_unit_test(all_mistakes_at_once),
		cmocka_unit_test(many_mistakes), cmocka_unit_test(table_is_whole),
		cmocka_unit_test(rows_as_words),
	};

	return cmocka_run_group_tests_name("policy/keys", tests, NULL, NULL);
}
