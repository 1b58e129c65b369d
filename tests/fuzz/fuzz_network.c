/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fuzzes the reader of networks' records: what is accepted is written as it was read, keeps the
 * rules of a network, and its name and bridge lead nowhere. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/network.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), again[NETWORK_TEXT_MAX];
	struct network network, second;
	struct err err;

	memcpy(text, data, size);
	text[size] = '\0';
	if (network_parse(text, &network) == 0) {
		if (!network_is_name(network.name) || strpbrk(network.bridge, "/\n") != NULL ||
		    network_complete(&network, &err) < 0 ||
		    !address_is_within(&network.gateway, &network.subnet) ||
		    !address_is_within(&network.range, &network.subnet))
			abort();
		network_format(&network, again);
		if (network_parse(again, &second) != 0)
			abort();
	}
	free(text);
	return 0;
}
