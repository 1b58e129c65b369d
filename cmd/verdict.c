/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See verdict.h. */
#include "cmd/verdict.h"

#include <errno.h>
#include <sys/mman.h>

#include "cmd/print.h"

struct verdict *verdict_new(void)
{
	/* Not by calloc, which writes all of it: most launches touch a small part. */
	struct verdict *verdict = mmap(NULL, sizeof(*verdict), PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (verdict == MAP_FAILED) {
		print_note("no memory for %zu bytes", sizeof(*verdict));
		return NULL;
	}
	return verdict;
}

void verdict_free(struct verdict *verdict)
{
	int saved = errno;

	if (verdict == NULL)
		return;
	cordon_release(&verdict->decision);
	munmap(verdict, sizeof(*verdict));
	errno = saved;
}

int verdict_decide(struct verdict *verdict, const struct cmd_context *context,
		   const struct policy_request *policy)
{
	struct run_request request;

	cmd_request_init(context, &request);
	request.policy = *policy;
	request.wants_usage = verdict->options.top || verdict->options.sample_ms > 0;
	request.cgroup_parent = verdict->options.cgroup_parent;
	request.explains_denials = verdict->options.explains_denials;
	request.policy.wants_origins = verdict->options.explains_denials;
	return cordon_decide(&request, &verdict->decision, &verdict->problems, &verdict->misses,
			     &verdict->err);
}

int verdict_read_profile(struct verdict *verdict, const struct cmd_context *context,
			 const char *profile)
{
	static const char *const no_command[] = {NULL};
	struct policy_request policy = {.profile = profile,
					.wants_values = true,
					.argv = no_command};
	int r = verdict_decide(verdict, context, &policy);

	if (r == 0 || verdict->err.kind != ERR_PREFLIGHT)
		return r;
	verdict->misses.n = verdict->misses.n_dropped = 0;
	verdict->err.kind = ERR_NONE;
	return 0;
}

void verdict_print_refusal(const struct verdict *verdict)
{
	print_refusal(&verdict->problems, &verdict->misses, &verdict->err);
}
