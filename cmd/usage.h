/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What `cordon stats` counts that no control group does, and its numbers as texts. */
#ifndef CORDON_CMD_USAGE_H
#define CORDON_CMD_USAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "records/status.h"

struct link_counts {
	int64_t received_bytes;
	int64_t sent_bytes;
};

/* Sums the lines of /proc/PID/net/dev, its loopback's left out. False: it is no such text. Pure. */
bool usage_sum_links(const char *text, struct link_counts *ret);

/* All links of the sandbox since they were made. False: it has ended, or has the network of who
 * asks (network.mode: host), where nobody counts what is its own. */
bool usage_read_links(const struct sandbox_status *status, struct link_counts *ret);

/* "12.34%"; below 0: "-". */
void usage_percent_text(int64_t hundredths, char *buf, size_t size);
/* "12.3MiB", Docker's form; below 0: "-". */
void usage_size_text(int64_t bytes, char *buf, size_t size);

#endif
