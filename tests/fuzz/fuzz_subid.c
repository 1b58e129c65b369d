/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fuzzes the pool of host ids: two texts, parted by a NUL, as /etc/subuid and /etc/subgid. No id 0,
 * none beyond 32 bits, and none twice, whatever they say. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_ranges(const struct id_pool *pool)
{
	if (pool->n_ranges > IDENTITY_RANGES_MAX)
		abort();
	for (uint32_t i = 0; i < pool->n_ranges; i++) {
		const struct id_range *a = &pool->ranges[i];

		if (a->count > 0 && (a->first == 0 || a->first + a->count > UINT32_MAX))
			abort();
		for (uint32_t j = 0; j < i; j++) {
			const struct id_range *b = &pool->ranges[j];

			if (a->first < b->first + b->count && b->first < a->first + a->count &&
			    a->count > 0 && b->count > 0)
				abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 2);
	struct id_pool pool;

	memcpy(text, data, size);
	text[size] = text[size + 1] = '\0';
	identity_make_pool(text, text + strlen(text) + 1, &pool);
	check_ranges(&pool);
	free(text);
	return 0;
}
