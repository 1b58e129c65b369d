/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes as Docker's seccomp file: alone and above the shipped default it resolves and compiles,
 * or is refused with problems that can be shown. Whatever it says, a child never answers a call
 * more softly than its parent; and a call of the second architecture is not permitted where the
 * native call of that name is refused. The bytes' end gives the arguments that this is tried with.
 */
#include <errno.h>
#include <linux/audit.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "policy/problems.h"
#include "policy/syscalls.h"
#include "tests/lib/bpf_sim.h"
#include "tests/lib/policy_fixture.h"
#include "tests/lib/verdict_rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct program {
	void *filter;
	size_t n;
};

static void check_text(void *ctx, const char *text, size_t len)
{
	(void)ctx;
	if (strlen(text) != len)
		abort();
}

/* The policy's program; filter NULL where it is refused. */
static struct program compile(const char *policy, const char *json)
{
	struct policy_fixture *fixture = malloc(sizeof(*fixture));
	struct program program = {.filter = NULL};

	fixture_init(fixture);
	fixture->request.wants_values = policy != NULL;
	if (json != NULL)
		fixture_profile(fixture, "/ward/project/f.json", json);
	if (fixture_resolve(fixture, policy) == 0) {
		int r = policy_seccomp_compile(&fixture->spec.seccomp, &program.filter, &program.n,
					       &fixture->err);

		if (r != 0 && r != -E2BIG)
			abort();
	} else if (fixture->err.text[0] == '\0') {
		abort();
	}
	problems_render_all(&fixture->problems, check_text, NULL);
	fixture_release(fixture);
	free(fixture);
	return program;
}

static unsigned strictness(uint32_t verdict)
{
	switch (verdict & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
		return 0;
	case SECCOMP_RET_LOG:
		return 1;
	case SECCOMP_RET_ERRNO:
		return 2;
	case SECCOMP_RET_TRAP:
		return 3;
	case SECCOMP_RET_KILL_PROCESS:
		return 4;
	default:
		abort();
	}
}

static void compare(const struct program *child, const struct program *parent, uint32_t arch,
		    const uint64_t *args)
{
	struct seccomp_data data = {.arch = arch};

	memcpy(data.args, args, sizeof(data.args));
	for (data.nr = 0; data.nr < SYSCALLS_END; data.nr++)
		if (strictness(bpf_sim_run(child->filter, child->n, &data)) <
		    strictness(bpf_sim_run(parent->filter, parent->n, &data)))
			abort();
}

/* Of calls of one name; cordon's own are always permitted natively. */
static void compare_architectures(const struct program *program, const uint64_t *args)
{
	for (int32_t place = 0; place < SYSCALLS_END; place++) {
		const char *name = syscalls_name_on(ABI_SECOND, place);
		struct seccomp_data native = {.arch = NATIVE};
		struct seccomp_data second = {.arch = FOREIGN,
					      .nr = syscalls_kernel_number(ABI_SECOND, place)};

		native.nr = name != NULL ? syscalls_number(name) : -1;
		if (native.nr < 0 || second.nr < 0)
			continue;
		for (size_t i = 0; i < 6; i++)
			native.args[i] = second.args[i] = args[i] & UINT32_MAX;
		if (strictness(bpf_sim_run(program->filter, program->n, &second)) <= 1 &&
		    strictness(bpf_sim_run(program->filter, program->n, &native)) > 1)
			abort();
	}
}

#define BOTH   "architectures: [native, x86, arm]"
#define WAIVED "waive: {\"seccomp.architecture:x86\": why, \"seccomp.architecture:arm\": why}\n"

static void check_child(const struct program *child, const struct program *parent,
			const uint64_t *args)
{
	compare(child, parent, NATIVE, args);
	compare(child, parent, FOREIGN, args);
	compare_architectures(child, args);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t zero[6], usual[6] = {40, 9, 7, 0x5412, 1, 1};
	static struct program parent;
	char *text = calloc(1, size + 1);
	struct program alone, both, child;
	uint64_t args[6] = {0};
	size_t n = size < sizeof(args) ? size : sizeof(args);

	if (parent.filter == NULL)
		parent = compile("cordon: 1\nextends: default\n" WAIVED "seccomp: {" BOTH "}\n",
				 NULL);
	memcpy(text, data, size);
	memcpy(args, data + size - n, n);
	alone = compile("cordon: 1\nseccomp: {docker_profile: f.json}\n", text);
	both = compile("cordon: 1\nseccomp: {docker_profile: f.json, " BOTH "}\n", text);
	child = compile("cordon: 1\nextends: default\n" WAIVED
			"seccomp: {docker_profile: f.json, " BOTH "}\n",
			text);
	if (both.filter != NULL)
		compare_architectures(&both, args);
	if (child.filter != NULL) {
		check_child(&child, &parent, args);
		check_child(&child, &parent, zero);
		check_child(&child, &parent, usual);
	}
	free(alone.filter);
	free(both.filter);
	free(child.filter);
	free(text);
	return 0;
}
