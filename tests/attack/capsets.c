/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What libcap-ng finds in all capability sets of its own process, ambient and bounding set
 * included: 42 and "none", or 0 and what there is. A reader of another make than the keeper's own.
 */
#include <cap-ng.h>
#include <stdio.h>

int main(void)
{
	if (capng_get_caps_process() != 0)
		return 100;
	switch (capng_have_capabilities(CAPNG_SELECT_ALL)) {
	case CAPNG_NONE:
		puts("none");
		return 42;
	case CAPNG_PARTIAL:
	case CAPNG_FULL:
		puts("some");
		return 0;
	default:
		return 100;
	}
}
