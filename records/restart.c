/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When a sandbox is started again, and after how long; see keeper.h. Pure. */
#include "records/keeper.h"

enum {
	PAUSE_LEAST_MS = 100,
	PAUSE_MOST_MS = 60000,
	RAN_WELL_MS = 10000,
};

bool keeper_restarts(const struct spec_supervision *policy, int64_t exit_code, int64_t restarts)
{
	switch (policy->restart) {
	case RESTART_NO:
		return false;
	case RESTART_ON_FAILURE:
		return exit_code != 0 &&
		       (policy->restart_max == 0 || restarts < (int64_t)policy->restart_max);
	case RESTART_ALWAYS:
	case RESTART_UNLESS_STOPPED:
		return true;
	}
	return false;
}

int64_t keeper_pause_ms(int64_t failures)
{
	int64_t pause = PAUSE_LEAST_MS;

	while (failures-- > 0 && pause < PAUSE_MOST_MS)
		pause *= 2;
	return pause < PAUSE_MOST_MS ? pause : PAUSE_MOST_MS;
}

int64_t keeper_failures(int64_t failures, int64_t ran_ms)
{
	return ran_ms >= RAN_WELL_MS ? 0 : failures + 1;
}
