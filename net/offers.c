/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See offers.h. */
#include "net/offers.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"

enum {
	PORT_TEXT_MAX = 16,
	OFFERS_MAX = 4 << 20, /* more than execve(2) takes by default for all variables */
};

const char *offers_protocol(uint8_t protocol)
{
	return protocol == IPPROTO_UDP ? "udp" : "tcp";
}

/* ---- writing ---- */

static bool has_variables(const struct spec_network *network)
{
	for (size_t i = 0; i < network->n_endpoints; i++)
		if (str_equal(network->endpoints[i].network, SPEC_DEFAULT_NETWORK))
			return true;
	return false;
}

static size_t put(char *buf, size_t at, const char *text)
{
	size_t len = strlen(text) + 1;

	memcpy(buf + at, text, len);
	return at + len;
}

ssize_t offers_format(const struct sandbox_spec *spec, char **ret)
{
	const struct spec_network *network = &spec->network;
	const char *const *envp = spec->process.envp;
	size_t size = strlen(spec->process.hostname) + 2 + network->n_exposed * PORT_TEXT_MAX, at;
	char *buf;

	for (size_t i = 0; envp[i] != NULL; i++)
		size += strlen(envp[i]) + 1;
	buf = malloc(size);
	if (buf == NULL)
		return -ENOMEM;
	at = put(buf, 0, spec->process.hostname);
	for (size_t i = 0; i < network->n_exposed; i++) {
		char text[PORT_TEXT_MAX];

		str_format(text, sizeof(text), "%u/%s", network->exposed[i].port,
			   offers_protocol(network->exposed[i].protocol));
		at = put(buf, at, text);
	}
	at = put(buf, at, "");
	for (size_t i = 0; has_variables(network) && envp[i] != NULL; i++)
		at = put(buf, at, envp[i]);
	*ret = buf;
	return (ssize_t)at;
}

/* ---- reading ---- */

static int read_whole(int fd, struct offers *offers)
{
	struct stat st;
	size_t n = 0;

	if (fstat(fd, &st) != 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_size > OFFERS_MAX)
		return -EBADMSG;
	offers->len = (size_t)st.st_size;
	offers->bytes = malloc(offers->len);
	if (offers->bytes == NULL)
		return -ENOMEM;
	while (n < offers->len) {
		ssize_t k = read(fd, offers->bytes + n, offers->len - n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return k < 0 ? -errno : -EBADMSG;
		n += (size_t)k;
	}
	return 0;
}

/* Where what is in it begins. */
static int divide(struct offers *offers)
{
	size_t at;

	if (offers->bytes[offers->len - 1] != '\0')
		return -EBADMSG;
	offers->hostname = offers->bytes;
	offers->ports = strlen(offers->bytes) + 1;
	for (at = offers->ports; at < offers->len && offers->bytes[at] != '\0';)
		at += strlen(offers->bytes + at) + 1;
	if (at >= offers->len)
		return -EBADMSG;
	offers->variables = at + 1;
	return 0;
}

int offers_read(const char *run, const char *run_id, struct offers *ret)
{
	struct offers offers = {.bytes = NULL};
	char path[PATH_MAX + 64];
	_cleanup_fd_ int fd = -EBADF;
	int r;

	str_format(path, sizeof(path), "%s/runs/%s/" OFFERS_FILE, run, run_id);
	fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
	r = fd < 0 ? fd : read_whole(fd, &offers);
	if (r == 0)
		r = offers.bytes == NULL ? -EBADMSG : divide(&offers);
	if (r == 0)
		*ret = offers;
	else
		free(offers.bytes);
	return r;
}

void offers_free(struct offers *offers)
{
	free(offers->bytes);
	*offers = (struct offers){.bytes = NULL};
}

static bool read_port(const char *text, struct spec_exposed *ret)
{
	size_t len = strspn(text, "0123456789");
	unsigned long port = len >= 1 && len <= 5 ? strtoul(text, NULL, 10) : 0;

	if (port < 1 || port > UINT16_MAX)
		return false;
	ret->port = (uint16_t)port;
	ret->protocol = str_equal(text + len, "/udp") ? IPPROTO_UDP : IPPROTO_TCP;
	return str_equal(text + len, "/udp") || str_equal(text + len, "/tcp");
}

bool offers_next_port(const struct offers *offers, size_t *at, struct spec_exposed *ret)
{
	while (*at + 1 < offers->variables) {
		const char *text = offers->bytes + *at;

		*at += strlen(text) + 1;
		if (read_port(text, ret))
			return true;
	}
	return false;
}

const char *offers_next_variable(const struct offers *offers, size_t *at)
{
	const char *text = offers->bytes + *at;

	if (*at >= offers->len)
		return NULL;
	*at += strlen(text) + 1;
	return text;
}
