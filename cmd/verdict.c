/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See verdict.h. */
#include "cmd/verdict.h"

#include <errno.h>
#include <stdlib.h>

#include "cmd/print.h"

struct verdict *verdict_new(void)
{
	struct verdict *verdict = calloc(1, sizeof(*verdict));

	if (verdict == NULL)
		print_note("no memory for %zu bytes", sizeof(*verdict));
	return verdict;
}

void verdict_free(struct verdict *verdict)
{
	int saved = errno;

	if (verdict == NULL)
		return;
	cordon_release(&verdict->decision);
	free(verdict);
	errno = saved;
}

int verdict_decide(struct verdict *verdict, const struct cmd_context *context,
		   const struct policy_request *policy)
{
	struct run_request request;

	cmd_request_init(context, &request);
	request.policy = *policy;
	return cordon_decide(&request, &verdict->decision, &verdict->problems, &verdict->misses,
			     &verdict->err);
}

void verdict_print_refusal(const struct verdict *verdict)
{
	print_refusal(&verdict->problems, &verdict->misses, &verdict->err);
}
