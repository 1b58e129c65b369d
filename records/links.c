/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See links.h. Runs in the keeper, at each start. */
#include "records/links.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "records/status.h"

static int find_run(const struct records *records, const struct sandbox *sandbox,
		    const struct spec_link *link, char ret[RUN_ID_LEN + 1], struct err *err)
{
	struct sandbox_status status;
	int r = status_read(records, sandbox, &status, err);

	if (r < 0)
		return r;
	if ((status.state == SANDBOX_RUNNING || status.state == SANDBOX_PAUSED) &&
	    status.has_keeper) {
		str_format(ret, RUN_ID_LEN + 1, "%s", status.live.run_id);
	} else {
		r = err_set(err, ERR_USAGE, ESRCH,
			    "network.links: sandbox %s does not run, so nothing can be linked to "
			    "it",
			    link->source);
		err_hint(err, "Start it first: cordon start %s.", link->source);
	}
	status_release(&status);
	return r;
}

int links_find(const struct records *records, const struct spec_network *network,
	       struct run_links *ret, struct err *err)
{
	const struct spec_endpoint *endpoint = &network->endpoints[0];
	int r = 0;

	ret->n = 0;
	if (!cordon_has_links(network))
		return 0;
	for (size_t i = 0; r == 0 && i < endpoint->n_links; i++) {
		struct sandbox sandbox;

		r = records_find(records, endpoint->links[i].source, &sandbox, err);
		if (r < 0)
			return err_wrap(err, "network.links");
		r = find_run(records, &sandbox, &endpoint->links[i], ret->runs[i], err);
		sandbox_release(&sandbox);
		ret->n = i + 1;
	}
	return r;
}
