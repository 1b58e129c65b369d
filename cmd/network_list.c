/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon network ls` and `inspect`: read the records, and wait for nobody. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/str.h"
#include "cmd/life.h"
#include "cmd/look.h"
#include "cmd/network.h"
#include "cmd/print.h"
#include "cmd/table.h"
#include "net/names.h"

enum { SHORT_ID = 12, DOCUMENT_MAX = 4 << 20 };

/* ---- ls ---- */

static void put_text_list(const struct network_list *list, const struct words *words)
{
	int id_len = words_has(words, "--no-trunc") ? NETWORK_ID_LEN : SHORT_ID;
	bool is_quiet = words_has(words, "--quiet");
	size_t name_width = strlen("NAME");

	for (size_t i = 0; i < list->n; i++)
		if (network_is_chosen(&list->list[i], words) &&
		    strlen(list->list[i].name) > name_width)
			name_width = strlen(list->list[i].name);
	for (size_t i = 0; i <= list->n; i++) {
		const struct network *network = i > 0 ? &list->list[i - 1] : NULL;
		char id[NETWORK_ID_LEN + 1], line[256];
		size_t len;

		if (network == NULL ? is_quiet : !network_is_chosen(network, words))
			continue;
		str_format(id, sizeof(id), "%.*s", id_len,
			   network == NULL ? "NETWORK ID" : network->id);
		if (is_quiet) {
			print_out("%s\n", id);
			continue;
		}
		len = table_cell(line, sizeof(line), 0, id, (size_t)id_len + 3);
		len = table_cell(line, sizeof(line), len, network == NULL ? "NAME" : network->name,
				 name_width + 3);
		table_cell(line, sizeof(line), len,
			   network == NULL ? "DRIVER" : network_drivers[network->driver].name, 9);
		print_out("%s%s\n", line, network == NULL ? "SCOPE" : "local");
	}
}

/* ---- JSON ---- */

static void put_prefix(struct json *json, const char *name, const struct net_prefix *prefix,
		       bool has_length)
{
	char text[ADDRESS_TEXT_MAX];

	if (has_length)
		address_format_prefix(prefix, text);
	else
		address_format(prefix, text);
	json_text(json, name, text[0] != '\0' ? text : NULL);
}

static void put_subnet(struct json *json, const struct net_prefix *subnet,
		       const struct net_prefix *gateway, const struct net_prefix *range)
{
	if (subnet->family == 0)
		return;
	json_open(json, NULL, '{');
	put_prefix(json, "subnet", subnet, true);
	put_prefix(json, "gateway", gateway, false);
	put_prefix(json, "ip_range", range, true);
	json_close(json, '}');
}

static void put_labels(struct json *json, const struct network *network)
{
	const char *label;
	size_t at = 0;

	json_open(json, "labels", '{');
	while ((label = network_next_label(network, &at)) != NULL) {
		char name[NETWORK_LABELS_MAX];
		size_t len = strcspn(label, "=");

		str_format(name, sizeof(name), "%.*s", (int)len, label);
		json_text(json, name, label + len + 1);
	}
	json_close(json, '}');
}

static void put_rate(struct json *json, const char *name, const struct spec_traffic *traffic)
{
	if (traffic->rate_bits == 0) {
		json_null(json, name);
		return;
	}
	json_open(json, name, '{');
	json_number(json, "rate_bits", (int64_t)traffic->rate_bits);
	if (traffic->burst_bytes != 0)
		json_number(json, "burst_bytes", (int64_t)traffic->burst_bytes);
	else
		json_null(json, "burst_bytes");
	json_close(json, '}');
}

static void put_network(struct json *json, const struct network *network)
{
	char when[64];

	json_text(json, "id", network->id);
	json_text(json, "name", network->name);
	json_text(json, "driver", network_drivers[network->driver].name);
	json_text(json, "scope", "local");
	look_timestamp(network->created_ms, when, sizeof(when));
	json_text(json, "created_at", network->created_ms > 0 ? when : NULL);
	json_truth(json, "built_in", network->is_built_in);
	json_truth(json, "internal", network->is_internal);
	json_truth(json, "icc", network->icc);
	json_truth(json, "ipv6", network->subnet6.family != 0);
	json_text(json, "bridge", network->bridge[0] != '\0' ? network->bridge : NULL);
	json_truth(json, "bridge_is_own", network->is_own);
	if (network->mtu != 0)
		json_number(json, "mtu", network->mtu);
	else
		json_null(json, "mtu");
	put_rate(json, "egress", &network->egress);
	put_rate(json, "ingress", &network->ingress);
	json_open(json, "subnets", '[');
	put_subnet(json, &network->subnet, &network->gateway, &network->range);
	put_subnet(json, &network->subnet6, &network->gateway6, &network->subnet6);
	json_close(json, ']');
	put_labels(json, network);
}

static void put_json_list(const struct network_list *list, const struct words *words,
			  struct json *json)
{
	json_open(json, NULL, '[');
	for (size_t i = 0; i < list->n; i++) {
		if (!network_is_chosen(&list->list[i], words))
			continue;
		json_open(json, NULL, '{');
		put_network(json, &list->list[i]);
		json_close(json, '}');
	}
	json_close(json, ']');
}

/* NULL: what is written there does not fit, and that is said (life_print_json). */
static char *document_room(void)
{
	return malloc(DOCUMENT_MAX);
}

int cmd_network_ls(const struct cmd_context *context, int argc, char **argv)
{
	static const char *const keys[] = {"driver", "id", "label", "name", "type", NULL};
	_cleanup_free_ char *buf = NULL;
	struct network_list list = {0};
	struct network_place place;
	struct words words;
	struct json json;
	struct err err = {0};
	int exit_code = 0;

	(void)argc;
	if (life_parse("network ls", argv, 0, &words, &exit_code) < 0)
		return exit_code;
	if (words.n > 0) {
		print_note("network ls takes no arguments, but was given %s", argv[1]);
		return EXIT_CORDON;
	}
	if (network_check_filters(&words, keys, &err) < 0 ||
	    network_place_open(context, false, &place, &err) < 0)
		return life_say(&err);
	buf = document_room();
	exit_code = networks_list(&place.networks, &list, &err) < 0 ? life_say(&err) : 0;
	json_init(&json, buf, buf != NULL ? DOCUMENT_MAX : 0);
	if (exit_code == 0 && words.wants_json) {
		put_json_list(&list, &words, &json);
		exit_code = life_print_json(&json);
	} else if (exit_code == 0) {
		put_text_list(&list, &words);
	}
	/* The list is whole but for it. */
	if (list.n_damaged > 0)
		exit_code = life_say(&err);
	network_list_free(&list);
	network_place_close(&place);
	return exit_code;
}

/* ---- inspect ---- */

struct leases {
	struct json *json;
	const struct network *network;
	struct names names; /* of those that run */
	const char *id;     /* of the one that is asked for, NULL: all */
};

/* What only one that runs has; null where it does not. */
static void put_running(struct json *json, const struct names_entry *entry)
{
	char mac[MAC_TEXT_MAX], interface[8];
	const char *alias;
	size_t at = 0;

	if (entry != NULL)
		address_format_mac(entry->mac, mac);
	json_text(json, "mac_address", entry != NULL ? mac : NULL);
	str_format(interface, sizeof(interface), "eth%u", entry != NULL ? entry->number : 0U);
	json_text(json, "interface", entry != NULL ? interface : NULL);
	json_open(json, "aliases", '[');
	while (entry != NULL &&
	       (alias = names_next(entry->names, sizeof(entry->names), &at)) != NULL)
		json_text(json, NULL, alias);
	json_close(json, ']');
}

static int put_lease(void *ctx, const char *address, const char *holder)
{
	struct leases *leases = ctx;
	const char *slash = strrchr(holder, '/');
	const char *id = slash != NULL ? slash + 1 : holder;
	struct lease lease;

	if ((leases->id != NULL && !str_equal(id, leases->id)) ||
	    !lease_of(leases->network, address, &lease))
		return 0;
	json_open(leases->json, leases->id != NULL ? leases->network->name : NULL, '{');
	if (leases->id == NULL)
		json_text(leases->json, "sandbox", id);
	put_prefix(leases->json, "ip_address", &lease.address, true);
	put_prefix(leases->json, "ip6_address", &lease.address6, true);
	if (leases->id != NULL)
		put_prefix(leases->json, "gateway", &leases->network->gateway, false);
	put_running(leases->json, names_find(&leases->names, id));
	json_close(leases->json, '}');
	return 0;
}

/* id NULL: all who have one. */
static int put_leases(const struct network_place *place, const struct network *network,
		      const char *id, struct json *json, struct err *err)
{
	struct leases leases = {.json = json, .network = network, .id = id};
	const struct lease_reader reader = {.each = put_lease, .ctx = &leases};
	int r = names_read(place->run, network, &leases.names, err);

	if (r == 0)
		r = lease_walk(&place->networks, network->name, &reader, err);
	names_free(&leases.names);
	return r;
}

void network_put_joined(const struct cmd_context *context, const char *id, struct json *json)
{
	struct network_place place = {.networks = {.fd = -EBADF}};
	struct network_list list = {0};
	struct err ignored;

	json_open(json, "networks", '{');
	if (network_place_open(context, false, &place, &ignored) == 0 &&
	    networks_list(&place.networks, &list, &ignored) == 0) {
		for (size_t i = 0; i < list.n; i++)
			ignore_result(put_leases(&place, &list.list[i], id, json, &ignored),
				      "what cannot be read is not known");
		network_list_free(&list);
	}
	network_place_close(&place);
	json_close(json, '}');
}

static int inspect_one(const struct network_place *place, const char *ref, struct json *json,
		       struct err *err)
{
	struct network network;
	int r = networks_find(&place->networks, ref, &network, err);

	if (r < 0)
		return r;
	json_open(json, NULL, '{');
	put_network(json, &network);
	json_open(json, "leases", '[');
	r = put_leases(place, &network, NULL, json, err);
	json_close(json, ']');
	json_close(json, '}');
	return r;
}

int cmd_network_inspect(const struct cmd_context *context, int argc, char **argv)
{
	_cleanup_free_ char *buf = NULL;
	struct network_place place;
	struct words words;
	struct json json;
	struct err err = {0};
	int exit_code = 0, result = 0;

	(void)argc;
	if (life_parse("network inspect", argv, 1, &words, &exit_code) < 0)
		return exit_code;
	if (network_place_open(context, false, &place, &err) < 0)
		return life_say(&err);
	buf = document_room();
	json_init(&json, buf, buf != NULL ? DOCUMENT_MAX : 0);
	json_open(&json, NULL, '[');
	for (char **word = argv + 1; *word != NULL; word++)
		if (inspect_one(&place, *word, &json, &err) < 0)
			result = life_say(&err);
	json_close(&json, ']');
	exit_code = life_print_json(&json);
	network_place_close(&place);
	return result != 0 ? result : exit_code;
}
