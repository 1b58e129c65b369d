/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cordon's seccomp program for a Docker file, for capabilities that no policy can give a workload
 * yet: `includes` and `excludes` of the file are decided by them.
 *
 *	compile FILE.json KERNEL CAPABILITIES >PROGRAM
 *
 * KERNEL is a version such as 6.1, CAPABILITIES a list such as CHOWN,KILL or the word none. The
 * program is linked with --wrap=resolve_capabilities (Makefile): that function is the one place
 * where a specification gets its capabilities.
 */
#include <cap-ng.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <stdio.h>
#include <string.h>

#include "base/io.h"
#include "base/parse.h"
#include "policy/resolve.h"
#include "tests/lib/policy_fixture.h"

struct request {
	struct policy_fixture fixture; /* first: policy_host.ctx points to it */
	uint64_t capabilities;
};

/* What the linker puts in the place of resolve_capabilities. */
void __wrap_resolve_capabilities(struct policy_ctx *ctx, const struct policy_node *root,
				 struct sandbox_spec *spec);

void __wrap_resolve_capabilities(struct policy_ctx *ctx, const struct policy_node *root,
				 struct sandbox_spec *spec)
{
	const struct request *request = ctx->host->ctx;

	(void)root;
	spec->capabilities = request->capabilities;
}

static bool read_capabilities(char *names, uint64_t *ret_set)
{
	char *state = NULL;

	*ret_set = 0;
	if (strcmp(names, "none") == 0)
		return true;
	for (const char *name = strtok_r(names, ",", &state); name != NULL;
	     name = strtok_r(NULL, ",", &state)) {
		int number = capng_name_to_capability(name);

		if (number < 0) {
			fprintf(stderr, "compile: what is the capability %s?\n", name);
			return false;
		}
		*ret_set |= 1ULL << number;
	}
	return true;
}

static bool read_kernel(char *text, uint32_t *ret_version)
{
	char *dot = strchr(text, '.');

	if (dot == NULL)
		return false;
	*dot = '\0';
	return parse_u32(text, &ret_version[0]) == 0 && parse_u32(dot + 1, &ret_version[1]) == 0;
}

static int compile(struct request *request, const char *text)
{
	static const char policy[] = "cordon: 1\nseccomp: {docker_profile: ./f.json}\n";
	struct policy_fixture *fixture = &request->fixture;
	void *program;
	size_t n;

	fixture_profile(fixture, "/ward/project/f.json", text);
	if (fixture_resolve(fixture, policy) != 0 ||
	    policy_seccomp_compile(&fixture->spec.seccomp, &program, &n, &fixture->err) != 0) {
		fprintf(stderr, "compile: %s\n", fixture->err.text);
		return 1;
	}
	return fwrite(program, sizeof(struct sock_filter), n, stdout) == n && fflush(stdout) == 0
		       ? 0
		       : 1;
}

int main(int argc, char **argv)
{
	static struct request request;
	static char text[65536];

	fixture_init(&request.fixture);
	if (argc != 4 || !read_capabilities(argv[3], &request.capabilities) ||
	    !read_kernel(argv[2], request.fixture.kernel))
		return 2;
	if (io_read_text(AT_FDCWD, argv[1], text, sizeof(text)) <= 0) {
		fprintf(stderr, "compile: cannot read %s\n", argv[1]);
		return 2;
	}
	return compile(&request, text);
}
