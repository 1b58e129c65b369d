/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The host's name servers, from its resolv.conf(5). Pure but for the number of a scope's link. */
#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "launcher/confined.h"
#include "launcher/resolver.h"

/* fe80::1%eth0 is that link's alone. */
static uint32_t read_scope(const char *text)
{
	uint32_t scope;

	return parse_u32(text, &scope) == 0 ? scope : if_nametoindex(text);
}

static bool read_server(char *word, char *to)
{
	uint8_t address[16] = {[10] = 0xff, [11] = 0xff}, scope[4];
	char *percent = strchr(word, '%');
	uint32_t number = 0;

	if (percent != NULL) {
		*percent = '\0';
		number = read_scope(percent + 1);
	}
	if (inet_pton(AF_INET, word, address + 12) != 1 && inet_pton(AF_INET6, word, address) != 1)
		return false;
	for (size_t i = 0; i < sizeof(scope); i++)
		scope[i] = (uint8_t)(number >> (24 - 8 * i));
	confined_put_hex(address, sizeof(address), to);
	confined_put_hex(scope, sizeof(scope), to + 2 * sizeof(address));
	return true;
}

void resolver_read_upstreams(const char *text, char ret[RESOLVER_UPSTREAMS_SIZE])
{
	static const char blank[] = " \t";
	size_t n = 0;

	while (*text != '\0' && n < RESOLVER_UPSTREAMS_MAX) {
		size_t len = strcspn(text, "\n");
		char line[128], *word;

		str_format(line, sizeof(line), "%.*s", (int)(len < 127 ? len : 127), text);
		text += len + (text[len] == '\n');
		if (!str_has_prefix(line, "nameserver") || strchr(blank, line[10]) == NULL ||
		    line[10] == '\0')
			continue;
		word = line + 10 + strspn(line + 10, blank);
		word[strcspn(word, " \t\r")] = '\0';
		if (read_server(word, ret + n * RESOLVER_UPSTREAM_DIGITS))
			n++;
	}
	ret[n * RESOLVER_UPSTREAM_DIGITS] = '\0';
}
