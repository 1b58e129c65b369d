/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The request that every command which decides something begins with. */
#include <string.h>

#include "cmd/cmd.h"

const char *cmd_variable(const struct cmd_context *context, const char *name)
{
	const char *const *environment = context->environment;
	size_t len = strlen(name);

	for (size_t i = 0; environment[i] != NULL; i++)
		if (strncmp(environment[i], name, len) == 0 && environment[i][len] == '=')
			return environment[i] + len + 1;
	return NULL;
}

void cmd_request_init(const struct cmd_context *context, struct run_request *ret_request)
{
	*ret_request = (struct run_request){
		.root_dir = context->root_dir,
		.runtime_dir = cmd_variable(context, "XDG_RUNTIME_DIR"),
		.environment = context->environment,
		.home = cmd_variable(context, "HOME"),
	};
	memcpy(ret_request->fds_closed, context->fds_closed, sizeof(context->fds_closed));
}
