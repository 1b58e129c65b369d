/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See network_links.h. */
#include "launcher/network_links.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "launcher/launch.h"
#include "net/offers.h"

enum { PREFIX_MAX = 96, VALUE_MAX = 256 };

bool cordon_has_links(const struct spec_network *network)
{
	return network->n_endpoints > 0 && network->endpoints[0].n_links > 0 &&
	       str_equal(network->endpoints[0].network, SPEC_DEFAULT_NETWORK);
}

void network_links_release(struct network_links *links)
{
	for (size_t i = links->n_spec; links->envp != NULL && i < links->n; i++)
		free(links->envp[i]);
	free(links->envp);
	links->envp = NULL;
}

const char *const *network_links_envp(const struct launch *launch)
{
	return launch->links.envp != NULL ? (const char *const *)launch->links.envp
					  : launch->spec->process.envp;
}

/* ---- the variables ---- */

static bool has_name(const struct network_links *links, const char *variable, size_t len)
{
	for (size_t i = 0; i < links->n; i++)
		if (strncmp(links->envp[i], variable, len) == 0 && links->envp[i][len] == '=')
			return true;
	return false;
}

/* prefix and name together are the variable's. What is there already stays: the policy's word, or
 * of two links with one alias the first. */
static int add(struct network_links *links, const char *prefix, const char *name, const char *value)
{
	size_t size = strlen(prefix) + strlen(name) + strlen(value) + 2;
	char *text = malloc(size);
	char **envp;

	if (text == NULL)
		return -ENOMEM;
	str_format(text, size, "%s%s=%s", prefix, name, value);
	if (has_name(links, text, strlen(prefix) + strlen(name))) {
		free(text);
		return 0;
	}
	envp = reallocarray(links->envp, links->n + 2, sizeof(*envp));
	if (envp == NULL) {
		free(text);
		return -ENOMEM;
	}
	links->envp = envp;
	links->envp[links->n++] = text;
	links->envp[links->n] = NULL;
	return 0;
}

/* Those of the policy stay where they are. */
static int begin(struct network_links *links, const char *const *envp)
{
	while (envp[links->n_spec] != NULL)
		links->n_spec++;
	links->n = links->n_spec;
	links->envp = calloc(links->n + 1, sizeof(*links->envp));
	if (links->envp == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < links->n; i++)
		links->envp[i] = (char *)envp[i];
	return 0;
}

/* One link that is being taken. */
struct source {
	char prefix[PREFIX_MAX]; /* "WEBDB_" */
	char address[ADDRESS_TEXT_MAX];
	struct spec_exposed ports[SPEC_EXPOSED_MAX];
	size_t n_ports;
	struct offers offers;
};

static void make_prefix(const char *alias, char buf[PREFIX_MAX])
{
	str_format(buf, PREFIX_MAX, "%s_", alias);
	for (char *at = buf; *at != '\0'; at++)
		if (*at >= 'a' && *at <= 'z')
			*at = (char)(*at - 'a' + 'A');
		else if (*at == '-')
			*at = '_';
}

static void format_url(const struct source *source, const struct spec_exposed *port,
		       char buf[VALUE_MAX])
{
	str_format(buf, VALUE_MAX, "%s://%s:%u", offers_protocol(port->protocol), source->address,
		   port->port);
}

enum what { WHAT_URL, WHAT_ADDRESS, WHAT_PORT, WHAT_PROTOCOL };

struct ending {
	const char *text;
	enum what what;
	bool is_of_last; /* of a range */
};

/* "PORT_5432_TCP" of base, and behind it what the ending says, of port. */
static int add_of_port(struct network_links *links, const struct source *source,
		       const struct spec_exposed *base, const struct spec_exposed *port,
		       const struct ending *ending)
{
	char name[VALUE_MAX], value[VALUE_MAX];

	str_format(name, sizeof(name), "PORT_%u_%s%s", base->port,
		   base->protocol == IPPROTO_UDP ? "UDP" : "TCP", ending->text);
	switch (ending->what) {
	case WHAT_URL:
		format_url(source, port, value);
		break;
	case WHAT_ADDRESS:
		str_format(value, sizeof(value), "%s", source->address);
		break;
	case WHAT_PORT:
		str_format(value, sizeof(value), "%u", port->port);
		break;
	case WHAT_PROTOCOL:
		str_format(value, sizeof(value), "%s", offers_protocol(port->protocol));
		break;
	}
	return add(links, source->prefix, name, value);
}

/* Where the ports that follow each other from ports[first] on end. */
static size_t end_of_range(const struct source *source, size_t first)
{
	size_t last = first;

	for (size_t i = first + 1; i < source->n_ports; i++)
		if (source->ports[i].protocol == source->ports[first].protocol &&
		    source->ports[i].port == source->ports[last].port + 1)
			last = i;
	return last;
}

static bool is_in_range(const struct source *source, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (source->ports[i].protocol == source->ports[at].protocol &&
		    source->ports[i].port + 1 == source->ports[at].port)
			return true;
	return false;
}

/* Three and more in a row have words of their own, as Docker has it. */
static int add_ranges(struct network_links *links, const struct source *source)
{
	static const struct ending endings[] = {
		{"_START", WHAT_URL, false},      {"_ADDR", WHAT_ADDRESS, false},
		{"_PROTO", WHAT_PROTOCOL, false}, {"_PORT_START", WHAT_PORT, false},
		{"_END", WHAT_URL, true},         {"_PORT_END", WHAT_PORT, true},
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < source->n_ports; i++) {
		const struct spec_exposed *first = &source->ports[i];
		const struct spec_exposed *last = &source->ports[end_of_range(source, i)];

		if (is_in_range(source, i) || last->port - first->port < 2)
			continue;
		for (size_t k = 0; r == 0 && k < sizeof(endings) / sizeof(endings[0]); k++)
			r = add_of_port(links, source, first, endings[k].is_of_last ? last : first,
					&endings[k]);
	}
	return r;
}

static int add_ports(struct network_links *links, const struct source *source)
{
	static const struct ending endings[] = {{"", WHAT_URL, false},
						{"_ADDR", WHAT_ADDRESS, false},
						{"_PORT", WHAT_PORT, false},
						{"_PROTO", WHAT_PROTOCOL, false}};
	char url[VALUE_MAX];
	int r = 0;

	/* The lowest, and of one number TCP: the order that they are in. */
	if (source->n_ports > 0) {
		format_url(source, &source->ports[0], url);
		r = add(links, source->prefix, "PORT", url);
	}
	if (r == 0)
		r = add_ranges(links, source);
	for (size_t i = 0; r == 0 && i < source->n_ports; i++)
		for (size_t k = 0; r == 0 && k < sizeof(endings) / sizeof(endings[0]); k++)
			r = add_of_port(links, source, &source->ports[i], &source->ports[i],
					&endings[k]);
	return r;
}

/* Names of a shell's, and one line: what is neither could be read as more than one variable by
 * whoever prints them. */
static bool is_passed_on(const char *variable, size_t name_len)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";

	if (name_len == 0 || variable[name_len] != '=' || strchr(letters, variable[0]) == NULL)
		return false;
	for (size_t i = 1; i < name_len; i++)
		if (strchr(letters, variable[i]) == NULL &&
		    (variable[i] < '0' || variable[i] > '9'))
			return false;
	for (const char *at = variable + name_len; *at != '\0'; at++)
		if (((unsigned char)*at < 0x20 && *at != '\t') || *at == 0x7f)
			return false;
	return true;
}

/* Of its surroundings, and not of what it is. */
static bool is_left_out(const char *variable, size_t name_len)
{
	static const char *const names[] = {"HOME", "LANG", "PATH", "TERM"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (name_len == strlen(names[i]) && strncmp(variable, names[i], name_len) == 0)
			return true;
	return false;
}

static int add_variables(struct network_links *links, const struct source *source)
{
	size_t at = source->offers.variables;
	const char *variable;
	int r = 0;

	while (r == 0 && (variable = offers_next_variable(&source->offers, &at)) != NULL) {
		size_t len = strcspn(variable, "=");
		_cleanup_free_ char *name = NULL;

		if (!is_passed_on(variable, len) || is_left_out(variable, len))
			continue;
		name = malloc(len + sizeof("ENV_"));
		if (name == NULL)
			return -ENOMEM;
		str_format(name, len + sizeof("ENV_"), "ENV_%.*s", (int)len, variable);
		r = add(links, source->prefix, name, variable + len + 1);
	}
	return r;
}

/* ---- one link ---- */

static int refuse(const struct spec_link *link, const char *why, const char *hint, struct err *err)
{
	err_set(err, ERR_SETUP, ESRCH, "network.links: %s: %s", link->source, why);
	return err_hint(err, "%s", hint);
}

static const struct names_entry *find_run(const struct names *names, const char *run_id)
{
	for (size_t i = 0; i < names->n; i++)
		if (str_equal(names->list[i].run, run_id))
			return &names->list[i];
	return NULL;
}

static void take_ports(struct source *source)
{
	size_t at = source->offers.ports;

	while (source->n_ports < SPEC_EXPOSED_MAX &&
	       offers_next_port(&source->offers, &at, &source->ports[source->n_ports]))
		source->n_ports++;
}

static int add_source(struct launch *launch, const struct spec_link *link,
		      const struct names_entry *entry, struct err *err)
{
	_cleanup_free_ struct source *source = calloc(1, sizeof(*source));
	const char *name = launch->sandbox_name;
	char text[VALUE_MAX];
	struct net_prefix ip = {.family = AF_INET, .length = 32};
	int r = source == NULL ? -ENOMEM
			       : offers_read(launch->state.path, entry->run, &source->offers);

	if (r == -ENOENT)
		return refuse(link, "has ended meanwhile", "Start it first.", err);
	if (r == 0) {
		memcpy(ip.bytes, entry->address, sizeof(entry->address));
		address_format(&ip, source->address);
		make_prefix(link->alias, source->prefix);
		take_ports(source);
		str_format(text, sizeof(text), "/%s/%s",
			   name != NULL && name[0] != '\0' ? name : launch->run.id, link->alias);
		r = add(&launch->links, source->prefix, "NAME", text);
	}
	if (r == 0)
		r = add_ports(&launch->links, source);
	if (r == 0)
		r = add_variables(&launch->links, source);
	if (source != NULL)
		offers_free(&source->offers);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "network.links: %s: what it offers",
			       link->source)
		     : 0;
}

int network_links_take(struct launch *launch, struct err *err)
{
	const struct spec_network *network = &launch->spec->network;
	const struct spec_endpoint *endpoint = &network->endpoints[0];
	struct network_links *links = &launch->links;
	struct names names;
	int r;

	if (!cordon_has_links(network))
		return 0;
	r = names_read(launch->state.path, &launch->network.endpoints[0].network, &names, err);
	if (r == 0 && begin(links, launch->spec->process.envp) < 0)
		r = err_set(err, ERR_SETUP, ENOMEM, "network.links");
	for (size_t i = 0; r == 0 && i < endpoint->n_links; i++) {
		const struct names_entry *entry =
			launch->linked != NULL && i < launch->linked->n
				? find_run(&names, launch->linked->runs[i])
				: NULL;

		if (entry == NULL) {
			r = refuse(&endpoint->links[i], "is not in the default network",
				   "Start it with --network bridge; in a network that you make "
				   "links need nobody there.",
				   err);
			break;
		}
		str_format(links->ids[i], sizeof(links->ids[i]), "%.*s", LINK_ID_SIZE - 1,
			   entry->id);
		links->sources[i] = links->ids[i];
		r = add_source(launch, &endpoint->links[i], entry, err);
	}
	names_free(&names);
	return r;
}
