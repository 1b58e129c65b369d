/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whom links in the default network mean (launcher/network_links.h): sandboxes that run. */
#ifndef CORDON_RECORDS_LINKS_H
#define CORDON_RECORDS_LINKS_H

#include "records/store.h"

/* Fills *ret, as run_options has it. ERR_USAGE where there is no such sandbox, or it does not run.
 * 0 as well where there are no links. */
int must_check links_find(const struct records *records, const struct spec_network *network,
			  struct run_links *ret, struct err *err);

#endif
