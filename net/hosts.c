/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See hosts.h. */
#include "net/hosts.h"

#include <string.h>
#include <sys/socket.h>

#include "base/str.h"

enum { SERVERS_MAX = 3 }; /* MAXNS of resolv.conf(5) */

struct text {
	char *buf;
	size_t size, len;
};

static void put(struct text *text, const char *line)
{
	text->len += str_format(text->buf + text->len, text->size - text->len, "%s", line);
}

static void put_host(struct text *text, const struct net_prefix *address, const char *name)
{
	char line[ADDRESS_TEXT_MAX + 300], ip[ADDRESS_TEXT_MAX];

	address_format(address, ip);
	if (ip[0] == '\0')
		return;
	str_format(line, sizeof(line), "%s\t%s\n", ip, name);
	put(text, line);
}

size_t hosts_format(const struct hosts_input *input, char buf[HOSTS_TEXT_MAX])
{
	const struct spec_network *network = &input->spec->network;
	const char *hostname = input->spec->process.hostname;
	struct text text = {.buf = buf, .size = HOSTS_TEXT_MAX};

	put(&text, "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n");
	for (size_t i = 0; i < network->n_hosts; i++) {
		struct net_prefix address = input->gateway;

		if (str_equal(network->hosts[i].address, SPEC_HOST_GATEWAY) ||
		    address_parse(network->hosts[i].address, &address) == 0)
			put_host(&text, &address, network->hosts[i].name);
	}
	for (size_t i = 0; i < input->n_own; i++)
		put_host(&text, &input->own[i].address, hostname);
	for (size_t i = 0; i < input->n_own; i++)
		put_host(&text, &input->own[i].address6, hostname);
	return text.len;
}

/* ---- resolv.conf ---- */

static void put_words(struct text *text, const char *key, const char *const *words, size_t n)
{
	if (n > 0)
		put(text, key);
	for (size_t i = 0; i < n; i++) {
		put(text, " ");
		put(text, words[i]);
	}
	if (n > 0)
		put(text, "\n");
}

static bool is_loopback(const struct net_prefix *address)
{
	static const uint8_t loopback6[16] = {[15] = 1};

	return address->family == AF_INET ? address->bytes[0] == 127
					  : memcmp(address->bytes, loopback6, 16) == 0;
}

/* The word behind "KEY " of a line, "" where it is another line. */
static void word_of(const char *line, const char *key, char *buf, size_t size)
{
	size_t len = strlen(key);

	buf[0] = '\0';
	if (strncmp(line, key, len) != 0 || (line[len] != ' ' && line[len] != '\t'))
		return;
	line += len + strspn(line + len, " \t");
	str_format(buf, size, "%.*s", (int)strcspn(line, " \t\r\n#;"), line);
}

static void put_servers_of_host(struct text *text, const char *host)
{
	size_t n = 0;

	while (*host != '\0' && n < SERVERS_MAX) {
		size_t len = strcspn(host, "\n");
		struct net_prefix address;
		char word[ADDRESS_TEXT_MAX];

		word_of(host, "nameserver", word, sizeof(word));
		if (address_parse(word, &address) == 0 && !is_loopback(&address)) {
			put(text, "nameserver ");
			put(text, word);
			put(text, "\n");
			n++;
		}
		host += len + (host[len] == '\n');
	}
}

size_t hosts_format_resolv(const struct spec_network *network, const char *host, bool has_way_out,
			   char buf[RESOLV_TEXT_MAX])
{
	struct text text = {.buf = buf, .size = RESOLV_TEXT_MAX};

	buf[0] = '\0';
	for (size_t i = 0; i < network->n_dns; i++)
		put_words(&text, "nameserver", &network->dns[i], 1);
	if (network->n_dns == 0 && has_way_out)
		put_servers_of_host(&text, host);
	put_words(&text, "search", network->dns_search, network->n_dns_search);
	put_words(&text, "options", network->dns_options, network->n_dns_options);
	return text.len;
}
